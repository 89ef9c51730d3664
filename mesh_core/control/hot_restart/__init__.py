"""Hot restart: a new process of `hopmesh proxy` takes over the listening sockets of the one that runs.

The one that runs is the *predecessor* of the one that it starts, its *successor*. A *link* joins the two, over which
the sockets pass and each learns how far the other is:

    predecessor                              successor
    starts it, passes every socket     ──►   loads the configuration, prepares all that can fail
                                       ◄──   ready (or failed, or gone: the predecessor goes on as before)
    go                                 ──►   accepts
    stops accepting, drains, ends      ◄──   serving

The process that was started first is the *keeper* from then on: its id is the one that supervisors know, so it stays,
passes on what it is told, and ends with the status of the last one in charge.
"""
