"""Host names as TLS carries them: ASCII, in lower case."""

# True for labels of 1 to 63 letters (lower case), digits, "-" or "_", parted by dots; no dot at the end. How long the
# whole may be is the caller's to judge.
cdef bint host_name_is_valid(const char* name, size_t size) noexcept nogil
