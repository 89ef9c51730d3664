"""TLS on the control thread: files are read and judged, contexts made and kept, changes and expiry noticed.

    files.py          from a path to certificates or a key, or to what is wrong with them
    ssl_context.py    from settings and certificates to an OpenSSL.SSL.Context
    contexts.py       the contexts of one configuration; the same content gives the same context
    watch.py          files that change, certificates that expire
"""
