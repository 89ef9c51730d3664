"""Access records as JSON lines. Control thread."""

from mesh_core.runtime.ring cimport RingC

# Take records out of the ring as JSON lines: some of them, b"" when there are none. Consumer's thread, with the GIL.
# Raises MemoryError.
cdef bytes collect_access_log(RingC* ring)
