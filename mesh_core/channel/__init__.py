"""The control channel's protocol, as both ends speak it; docs/control-channel.md specifies it. No I/O.

frames.py      bytes to frames and back       messages.py    frames to messages and back
resources.py   what updates carry, and the change from one set of it to the next
"""
