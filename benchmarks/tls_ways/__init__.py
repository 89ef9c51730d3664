"""What it costs to move records between sockets and OpenSSL, by way and by library: `python -m benchmarks.tls_ways`."""
