"""What the hop through a proxy costs: hopmesh beside its peers, in one run on one machine.

Run it with ``python -m benchmarks``; ``README.md`` says how each figure is made.
"""
