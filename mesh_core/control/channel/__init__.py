"""The proxy's end of the control channel; docs/control-channel.md specifies what is said on it.

control_channel.py  finds a control plane, comes back to it, and keeps what it has sent
conversation.py     one connection: hello, updates and their answers, heartbeats
held.py             the resources that there are, and the configuration that they make with the file's
last_good.py        the same on disk, for a start without a control plane
"""
