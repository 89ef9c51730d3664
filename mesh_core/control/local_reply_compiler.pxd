"""From the local replies of an `http` setting to the table that workers read. Control thread, with the GIL."""

from mesh_core.snapshot.local_replies cimport LocalReplyC
from mesh_core.snapshot.snapshot cimport Snapshot


# The table of `replies`, LocalReply objects that were checked, in the snapshot's memory; NULL when there are none.
# Raises MemoryError.
cdef const LocalReplyC* compile_local_replies(Snapshot snapshot, replies) except? NULL
