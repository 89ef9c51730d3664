"""The data path of HTTP: downstream connections, streams, pooled upstream connections."""
