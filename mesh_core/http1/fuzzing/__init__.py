"""libFuzzer entries of the HTTP/1 codec; each aborts when a promise is broken."""
