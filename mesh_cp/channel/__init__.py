"""The control plane's end of the control channel; docs/control-channel.md specifies what is said on it.

    server.py     listens, and keeps one session for each proxy that is there
    session.py    one proxy: what it should have, what it has, the one update that is under way
    delivery.py   what of that is still to be sent, merged while an update is under way
    frames.py     updates encoded once for all who get the same
    rate.py       how much a proxy may say

Who decides what each proxy should have stands behind `server.Subscribers`.
"""
