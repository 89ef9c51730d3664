"""Rules of the proxy's own answers; the contract stands in local_reply_rules.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy, strlen
from mesh_core.http1.errors cimport http1_error_text
from mesh_core.snapshot.http_settings cimport HttpSettingsC
from mesh_core.snapshot.local_replies cimport (
    LOCAL_REPLY_BYTES, PART_BODY, PART_CONNECTION_ID, PART_DETAIL, PART_FLAGS, PART_STATUS, LocalReplyPartC,
)
from mesh_core.telemetry.access_record cimport RequestRecordC
from mesh_core.telemetry.response_flags cimport FLAG_COUNT, detail_text, flag_name

cdef enum:
    NUMBER_BYTES = 20


# Where a body is written to.
cdef struct PlaceC:
    uint8_t* out
    size_t size


cdef const LocalReplyC* local_reply_find(const StreamC* stream, uint16_t status, uint16_t detail) noexcept nogil:
    cdef const HttpSettingsC* settings = &stream.http.settings
    cdef const LocalReplyC* rule
    cdef uint32_t index
    for index in range(settings.local_reply_count):
        rule = &settings.local_replies[index]
        if (not rule.status_count or stands_in(rule.statuses, rule.status_count, status)) and (
                not rule.flags or rule.flags & stream.record.flags) and (
                not rule.detail_count or stands_in(rule.details, rule.detail_count, detail)):
            return rule
    return NULL


cdef bint stands_in(const uint16_t* numbers, uint32_t count, uint16_t number) noexcept nogil:
    cdef uint32_t index
    for index in range(count):
        if numbers[index] == number:
            return True
    return False


cdef size_t local_reply_write(
    const LocalReplyC* rule, const StreamC* stream, uint16_t status, TextC body, uint8_t* out
) noexcept nogil:
    cdef PlaceC place = PlaceC(out, 0)
    cdef const LocalReplyPartC* part
    cdef uint32_t index
    for index in range(rule.part_count):
        part = &rule.parts[index]
        if part.kind == PART_STATUS:
            write_number(&place, status)
        elif part.kind == PART_DETAIL:
            write_detail(&place, &stream.record)
        elif part.kind == PART_FLAGS:
            write_flags(&place, stream.record.flags)
        elif part.kind == PART_CONNECTION_ID:
            write_number(&place, stream.connection.id)
        elif part.kind == PART_BODY:
            write(&place, body.bytes, body.size)
        else:
            write(&place, part.text.bytes, part.text.size)
    return place.size


cdef void write(PlaceC* place, const uint8_t* bytes, size_t size) noexcept nogil:
    size = min(size, LOCAL_REPLY_BYTES - place.size)
    if size:
        memcpy(place.out + place.size, bytes, size)
        place.size += size


cdef void write_words(PlaceC* place, const char* words) noexcept nogil:
    write(place, <const uint8_t*>words, strlen(words))


cdef void write_detail(PlaceC* place, const RequestRecordC* record) noexcept nogil:
    """As the access log writes it."""
    if record.codec_error:
        write_words(place, b"http1.")
        write_words(place, http1_error_text(record.codec_error))
    else:
        write_words(place, detail_text(record.detail))


cdef void write_number(PlaceC* place, uint64_t number) noexcept nogil:
    cdef uint8_t[NUMBER_BYTES] digits
    cdef int at = NUMBER_BYTES
    while True:
        at -= 1
        digits[at] = <uint8_t>(c"0" + number % 10)
        number //= 10
        if not number:
            break
    write(place, &digits[at], NUMBER_BYTES - at)


cdef void write_flags(PlaceC* place, uint32_t flags) noexcept nogil:
    """As the access log writes them: with commas between, or a dash."""
    cdef bint begun = False
    cdef int index
    for index in range(<int>FLAG_COUNT):
        if flags >> index & 1:
            if begun:
                write_words(place, b",")
            write_words(place, flag_name(index))
            begun = True
    if not begun:
        write_words(place, b"-")
