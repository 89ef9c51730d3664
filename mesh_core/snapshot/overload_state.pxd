"""What the proxy gives up at this moment because it is short of memory or descriptors: one word for all workers."""

from libc.stdint cimport uint32_t

cdef enum OverloadAction:
    OVERLOAD_STOP_KEEPALIVE = 1 << 0
    OVERLOAD_REFUSE_LOW = 1 << 1
    OVERLOAD_REFUSE_DEFAULT = 1 << 2
    OVERLOAD_REFUSE_CONNECTIONS = 1 << 3
    OVERLOAD_REFUSE_HIGH = 1 << 4


# Owner: the proxy; snapshots keep it too.
cdef class OverloadState:
    cdef uint32_t actions      # OverloadAction bits; written by the control thread, atomically
