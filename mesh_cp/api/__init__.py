"""The HTTP API of the control plane: JSON over a Unix socket or loopback.

    messages.py   requests and replies            server.py      who is asked what, and who may not
    refusals.py   errors, and what becomes one    kind_names.py  the names that operators use for kinds
    reading.py    get, describe, history, proxies, watch
    observing.py  stat, logs, config-dump
    queries.py    parameters of these
    changing.py   apply, delete, rollback

docs/control-plane.md describes it. Commands use `messages.py` alone, so nothing is loaded here.
"""
