"""What a header must be like. Worker thread, no GIL."""

from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.value_match cimport ValueMatchC


cdef struct HeaderMatchC:
    TextC name
    TextC separator            # between the values of several headers of that name
    ValueMatchC value


# Whether the request's headers are like that. Those that are not passed on count as absent, but for Upgrade.
cdef bint header_fits(const HeaderMatchC* match, const RequestViewC* request) noexcept nogil
