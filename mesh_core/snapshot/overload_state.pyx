"""What the proxy gives up at this moment; the contract stands in overload_state.pxd."""

from mesh_core.includes.atomic cimport store_relaxed_u32

ACTIONS = ("stop_keepalive", "refuse_low", "refuse_default", "refuse_connections", "refuse_high")
"""The names of the actions, which are the fields of Overload that say when, in the order of their bits."""


cdef class OverloadState:
    """The actions that are in force."""

    def set(self, names):
        """These actions (frozenset[str], out of ACTIONS) are in force from now on, and no others."""
        cdef uint32_t actions = 0
        for index, name in enumerate(ACTIONS):
            if name in names:
                actions |= <uint32_t>1 << <int>index
        store_relaxed_u32(&self.actions, actions)
