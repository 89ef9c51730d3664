"""From the matches of a listener's filter chains to the table that workers walk. Control thread, with the GIL."""

from mesh_core.snapshot.filter_chain_table cimport FilterChainTableC
from mesh_core.snapshot.snapshot cimport Snapshot


# The table, in the snapshot's memory; chains are known by their index in `matches`, a list of FilterChainMatch that
# was checked. Raises MemoryError.
cdef FilterChainTableC* compile_filter_chains(Snapshot snapshot, matches) except NULL
