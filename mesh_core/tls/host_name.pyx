"""Host names; the contract stands in host_name.pxd."""

cdef enum:
    LABEL_LIMIT = 63    # RFC 1035, section 2.3.4


cdef bint host_name_is_valid(const char* name, size_t size) noexcept nogil:
    cdef size_t index, label = 0
    for index in range(size):
        if name[index] == c".":
            if label == 0:
                return False
            label = 0
        elif c"a" <= name[index] <= c"z" or c"0" <= name[index] <= c"9" or name[index] == c"-" or name[index] == c"_":
            label += 1
            if label > LABEL_LIMIT:
                return False
        else:
            return False
    return label > 0
