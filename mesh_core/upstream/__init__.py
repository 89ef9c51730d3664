"""The way to an upstream: load balancers, one unit each behind the table of functions in snapshot/tables.pxd."""
