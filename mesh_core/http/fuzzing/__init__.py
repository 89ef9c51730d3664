"""libFuzzer entries of what passes messages on; each aborts when a promise is broken."""
