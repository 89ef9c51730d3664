"""Whether requests survive what befalls their upstreams: a fleet of origins that are hurt on purpose, under load.

Every request has a number; the load, the origins and the proxy's access log each tell what became of it, and
`account` joins the three. `python -m benchmarks.survival` runs the scenarios; `tests/soak/chaos.py` does everything at
once for as long as one likes.
"""
