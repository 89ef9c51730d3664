"""The begin of a downstream connection: from the accepted socket to whoever serves it."""
