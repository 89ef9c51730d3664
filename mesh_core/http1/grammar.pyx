"""Characters and lists; the contract stands in grammar.pxd."""

cdef enum:
    INT64_LIMIT = 0x7FFFFFFFFFFFFFFF
    SAFE_DIGITS = 18           # any number of so many is below the limit


cdef bint equals_ignoring_case(const uint8_t* one, const uint8_t* other, size_t size) noexcept nogil:
    cdef size_t index
    for index in range(size):
        if lower(one[index]) != lower(other[index]):
            return False
    return True


cdef bint is_token(const uint8_t* data, size_t size) noexcept nogil:
    return size > 0 and skip(data, 0, size, CLASS_TCHAR) == size


cdef bint list_next(const uint8_t* data, uint32_t* at, uint32_t end, SliceC* element) noexcept nogil:
    cdef uint32_t begin, stop
    while at[0] < end:
        begin = at[0]
        while at[0] < end and data[at[0]] != c",":
            at[0] += 1
        stop = at[0]
        if at[0] < end:
            at[0] += 1
        while begin < stop and is_blank(data[begin]):
            begin += 1
        while begin < stop and is_blank(data[stop - 1]):
            stop -= 1
        if begin < stop:
            element.at = begin
            element.size = stop - begin
            return True
    return False


cdef bint parse_decimal(const uint8_t* data, size_t size, uint64_t* value) noexcept nogil:
    cdef uint64_t number = 0
    cdef uint8_t digit
    cdef size_t index
    for index in range(size):
        if not is_digit(data[index]):
            return False
        digit = data[index] - c"0"
        if index >= SAFE_DIGITS and number > (<uint64_t>INT64_LIMIT - digit) // 10:
            return False
        number = number * 10 + digit
    value[0] = number
    return size > 0


cdef size_t write_decimal(uint8_t* out, uint64_t value) noexcept nogil:
    cdef uint8_t[20] digits
    cdef size_t count = 0, index
    while True:
        digits[count] = <uint8_t>(c"0" + value % 10)
        count += 1
        value //= 10
        if value == 0:
            break
    for index in range(count):
        out[index] = digits[count - 1 - index]
    return count
