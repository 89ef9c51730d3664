"""One thread of the data path: its acceptors, its connections, its turn."""
