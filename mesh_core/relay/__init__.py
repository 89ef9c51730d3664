"""The life of one relayed connection: opening, moving bytes, closing, the record of it."""
