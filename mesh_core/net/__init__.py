"""Addresses, sockets and wire codecs. Codecs do no I/O: each can be tested and fuzzed alone."""
