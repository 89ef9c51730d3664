from typing import NamedTuple

class Series(NamedTuple):
    cluster_id: int | None
    flags: int
    status: int
    protocol: int
    traits: int
    requests: int
    duration_us: list[int]
    request_bytes: list[int]
    response_bytes: list[int]
