"""Hypothesis without its clocks: how long an example takes says nothing on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "no-clocks", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("no-clocks")
