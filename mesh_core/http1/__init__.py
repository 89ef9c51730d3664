"""HTTP/1.0 and 1.1 (RFC 9110, RFC 9112). Codecs do no I/O: each can be tested and fuzzed alone."""
