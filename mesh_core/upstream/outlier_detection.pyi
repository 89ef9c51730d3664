from typing import Literal

from mesh_core.config import OutlierDetection
from mesh_core.upstream.endpoint_state import EndpointState

Verdict = Literal["none", "tolerated", "overflow", "ejected"]

class OutlierPolicy:
    def __init__(self, rules: OutlierDetection, endpoint_count: int) -> None: ...
    def judge(self, endpoint: EndpointState, enforcing_percent: int, now_ms: int, random: int) -> Verdict: ...

def uneject(endpoint: EndpointState) -> bool: ...
