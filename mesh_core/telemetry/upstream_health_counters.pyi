Counters = tuple[tuple[str, str, tuple[int, ...]], ...]

UPSTREAM_HEALTH_COUNTERS: dict[str, Counters]
