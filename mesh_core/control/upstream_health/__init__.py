"""What the control thread does for the health of endpoints: outlier sweeps, active health checks, removals.

Workers pick endpoints by the marks in upstream/endpoint_state.pxd; here those marks are set and cleared, except for
ejections for failures in a row, which the worker that sees the last of them makes at once.
"""
