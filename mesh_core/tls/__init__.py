"""TLS: what is read before and around it. Codecs do no I/O: each can be tested and fuzzed alone."""
