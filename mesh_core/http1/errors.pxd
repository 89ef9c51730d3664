"""What is wrong with a message, and the status that says so to a downstream.

A fault of an upstream's is a 502 whatever stands here.
"""

cdef enum Http1Error:
    HTTP1_OK = 0
    HTTP1_CONTROL_CHARACTER = -1     # NUL, or any other but tab in a value (RFC 9110, 5.5)
    HTTP1_BARE_CR = -2               # RFC 9112, 2.2
    HTTP1_BARE_LF = -3               # RFC 9112, 2.2: only allowed to be taken for a line's end
    HTTP1_START_LINE_TOO_LONG = -4   # RFC 9112, 3
    HTTP1_HEAD_TOO_LARGE = -5        # RFC 6585, 5; trailers too
    HTTP1_TOO_MANY_FIELDS = -6       # RFC 6585, 5
    HTTP1_BAD_START_LINE = -7        # RFC 9112, 3 and 4: not parts behind single spaces
    HTTP1_BAD_METHOD = -8            # RFC 9110, 9.1: no token, or a known method in other case
    HTTP1_BAD_TARGET = -9            # RFC 9112, 3.2: in none of the four forms
    HTTP1_BAD_AUTHORITY = -10        # RFC 9110, 4.2: no host, no port, or user information
    HTTP1_BAD_VERSION = -11          # RFC 9112, 2.3
    HTTP1_UNSUPPORTED_VERSION = -12  # RFC 9110, 15.6.6: neither 1.0 nor 1.1
    HTTP1_BAD_STATUS = -13           # RFC 9112, 4: not three digits from 100
    HTTP1_BAD_FIELD_NAME = -14       # RFC 9112, 5.1: empty, no colon, white space before it, or Content_Length
    HTTP1_FOLDED_FIELD = -15         # RFC 9112, 5.2: obs-fold, or white space before the first field
    HTTP1_NO_HOST = -16              # RFC 9112, 3.2
    HTTP1_REPEATED_HOST = -17        # RFC 9112, 3.2
    HTTP1_BAD_HOST = -18             # RFC 9112, 3.2
    HTTP1_BAD_LENGTH = -19           # RFC 9110, 8.6: not digits up to 2^63 - 1
    HTTP1_REPEATED_LENGTH = -20      # RFC 9112, 6.3: refused even when the values agree
    HTTP1_LENGTH_AND_CODING = -21    # RFC 9112, 6.1: Content-Length with Transfer-Encoding
    HTTP1_BAD_CODING = -22           # RFC 9112, 6.1: anything but one "chunked"
    HTTP1_REPEATED_CODING = -23      # RFC 9112, 6.1
    HTTP1_CODING_IN_1_0 = -24        # RFC 9112, 6.1
    HTTP1_FORBIDDEN_BODY = -25       # RFC 9112, 6.3: 1xx, 204, CONNECT and its 2xx have none
    HTTP1_BAD_CONNECTION = -26       # RFC 9110, 7.6.1: no list of tokens
    HTTP1_FORBIDDEN_OPTION = -27     # RFC 9110, 7.6.1: names a field that is for every recipient
    HTTP1_BAD_UPGRADE = -28          # RFC 9110, 7.8: no list of protocols, or more than one field
    HTTP1_BAD_EXPECT = -29           # RFC 9110, 10.1.1: not one "100-continue"
    HTTP1_UNEXPECTED_UPGRADE = -30   # RFC 9110, 15.2.2: 101 to who did not ask
    HTTP1_BAD_CHUNK_SIZE = -31       # RFC 9112, 7.1: not hexadecimal up to 2^63 - 1
    HTTP1_BAD_CHUNK_EXTENSION = -32  # RFC 9112, 7.1.1
    HTTP1_BAD_CHUNK_END = -33        # RFC 9112, 7.1: no CRLF behind the data
    HTTP1_CHUNK_LINE_TOO_LONG = -34  # RFC 9112, 7.1.1
    HTTP1_TOO_MANY_EXTENSIONS = -35  # RFC 9112, 7.1.1
    HTTP1_FORBIDDEN_TRAILER = -36    # RFC 9110, 6.5.1
    HTTP1_BAD_ESCAPE = -37           # RFC 3986, 2.1
    HTTP1_ESCAPED_NUL = -38          # RFC 3986, 7.3
    HTTP1_ESCAPED_SLASH = -39        # an encoded slash or backslash, where the configuration refuses it
    HTTP1_OUTPUT_OVERFLOW = -40      # what was to be written is longer than the buffer
    HTTP1_OUTPUT_FIELD = -41         # a field to be added would change the message's framing
    HTTP1_OUTPUT_START_LINE = -42    # a target, authority or reason that is none
    HTTP1_ERROR_COUNT = 43


# The words of an error, for logs and details; "" for HTTP1_OK. `error` is one of Http1Error.
cdef const char* http1_error_text(int error) noexcept nogil

# The status of the answer; 200 for HTTP1_OK.
cdef int http1_error_status(int error) noexcept nogil
