"""DER elements; the contract stands in der.pxd."""

cdef enum:
    LENGTH_OCTETS = 3                    # of an element of 16 MiB less one byte
    TAG_BOOLEAN = 0x01
    TAG_UTC_TIME = 0x17
    TAG_GENERALIZED_TIME = 0x18
    EPOCH_DAYS = 865259                  # of days_since_epoch, at 1970-01-01

cdef int[12] DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]


cdef bint der_read_element(DerReaderC* reader, uint8_t* tag, DerReaderC* content) noexcept nogil:
    cdef size_t length, octets, index
    if der_left(reader) < 2 or reader.at[0] & 0x1F == 0x1F:
        return False
    tag[0] = reader.at[0]
    length = reader.at[1]
    reader.at += 2
    if length >= 0x80:
        octets = length & 0x7F
        if octets == 0 or octets > LENGTH_OCTETS or der_left(reader) < octets or reader.at[0] == 0:
            return False
        length = 0
        for index in range(octets):
            length = (length << 8) | reader.at[index]
        reader.at += octets
        if length < 0x80:
            return False
    if der_left(reader) < length:
        return False
    content.at = reader.at
    content.end = reader.at + length
    reader.at = content.end
    return True


cdef bint der_read_tagged(DerReaderC* reader, uint8_t expected, DerReaderC* content) noexcept nogil:
    cdef uint8_t tag
    return der_left(reader) > 0 and reader.at[0] == expected and der_read_element(reader, &tag, content)


cdef bint der_read_only(DerReaderC* reader, uint8_t expected, DerReaderC* content) noexcept nogil:
    return der_read_tagged(reader, expected, content) and der_left(reader) == 0


cdef bint der_read_flag(DerReaderC* reader, bint* value) noexcept nogil:
    cdef DerReaderC content
    value[0] = False
    if der_left(reader) == 0 or reader.at[0] != TAG_BOOLEAN:
        return True
    if not der_read_tagged(reader, TAG_BOOLEAN, &content) or der_left(&content) != 1:
        return False
    if content.at[0] not in (0x00, 0xFF):
        return False
    value[0] = content.at[0] != 0
    return True


# --- time ---

cdef bint der_read_time(DerReaderC* reader, int64_t* seconds) noexcept nogil:
    cdef DerReaderC text
    cdef uint8_t tag
    cdef int year, month, day, hour, minute, second
    cdef bint leap
    if not der_read_element(reader, &tag, &text) or not are_digits_and_z(&text):
        return False
    if tag == TAG_UTC_TIME and der_left(&text) == 13:
        year = take_pair(&text)
        year += 2000 if year < 50 else 1900
    elif tag == TAG_GENERALIZED_TIME and der_left(&text) == 15:
        year = take_pair(&text) * 100
        year += take_pair(&text)
    else:
        return False
    month = take_pair(&text)
    day = take_pair(&text)
    hour = take_pair(&text)
    minute = take_pair(&text)
    second = take_pair(&text)
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if not (1 <= month <= 12 and 1 <= day <= days_in(month, leap) and hour < 24 and minute < 60 and second < 60):
        return False
    seconds[0] = ((days_since_epoch(year, month, day, leap) * 24 + hour) * 60 + minute) * 60 + second
    return True


cdef bint are_digits_and_z(const DerReaderC* text) noexcept nogil:
    cdef size_t index
    cdef size_t size = der_left(text)
    if size == 0 or text.at[size - 1] != c"Z":
        return False
    for index in range(size - 1):
        if text.at[index] < c"0" or text.at[index] > c"9":
            return False
    return True


cdef int take_pair(DerReaderC* text) noexcept nogil:
    """The number that the next two digits make; they are known to be there."""
    text.at += 2
    return ((text.at - 2)[0] - c"0") * 10 + ((text.at - 1)[0] - c"0")


cdef int days_in(int month, bint leap) noexcept nogil:
    if month == 2:
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


cdef int64_t days_since_epoch(int year, int month, int day, bint leap) noexcept nogil:
    """Of the Gregorian calendar, without gaps; `year` from 0 to 9999."""
    cdef int64_t years = year + 399          # whole years before this one, counted from -399, where a cycle begins
    cdef int64_t days = years * 365 + years // 4 - years // 100 + years // 400
    return days + DAYS_BEFORE_MONTH[month - 1] + (1 if leap and month > 2 else 0) + day - 1 - EPOCH_DAYS
