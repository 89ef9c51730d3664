from typing import Final

BUCKETS: Final[tuple[float, ...]]
TIME_BUCKETS_US: Final[tuple[int, ...]]
