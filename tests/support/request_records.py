"""What must hold of the access log, whatever a test has done."""

from __future__ import annotations

import json
from pathlib import Path

from mesh_core.telemetry.response_flags import DETAILS, FLAGS
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import wait_until


def requests_of(proxy: RunningProxy, *listeners: str) -> int:
    """How many requests these have had, once all of them are over."""
    wait_until(
        lambda: all(proxy.stats("listener", each)["downstream_rq_active"] == 0 for each in listeners),
        "the end of all requests",
    )
    return sum(proxy.stats("listener", each)["downstream_rq_total"] for each in listeners)


def check_records(path: Path, count: int) -> None:
    """Of a proxy that has closed: one record for each of `count` requests, whose failures say why."""
    records = [each for each in map(json.loads, path.read_text().splitlines()) if "response_code" in each]
    assert len(records) == count, (len(records), count)
    for record in records:
        flags = [] if record["response_flags"] == "-" else record["response_flags"].split(",")
        assert set(flags) <= FLAGS.keys(), record
        details = record["response_code_details"]
        assert details == "via_upstream" or details in DETAILS or details.startswith("http1."), record
        assert flags or record["response_code"] in range(200, 600) or record["response_code"] == 101, record
        assert record["start_time"], record
