from typing import NamedTuple

class Series(NamedTuple):
    cluster_id: int | None
    flags: int
    status: int
    inbound: bool
    mutual_tls: bool
    requests: int
    duration_us: list[int]
    request_bytes: list[int]
    response_bytes: list[int]
