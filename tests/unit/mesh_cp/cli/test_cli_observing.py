"""The commands that show what the mesh does: tables, JSON, what is asked of the control plane."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from mesh_cp.cli import logs as logs_module
from mesh_cp.observation import (
    AccessRecord,
    ConfigDumpReply,
    DumpedResource,
    RecordsReply,
    TrafficReply,
    TrafficRow,
)
from tests.support.running_api import RunningApi

Run = Callable[..., Result]

JSON_LINE = json.dumps({
    "start_time": "x", "method": "GET", "path": "/a", "response_code": 503, "response_flags": "UF", "duration": 12,
    "authority": "cart", "upstream_host": None,
})  # fmt: skip


def row(source: str, destination: str, **more: object) -> TrafficRow:
    values = {
        "reporter": "source" if source else "destination", "requests": 1200, "requests_per_second": 20.04,
        "success_percent": 99.5, "p50_ms": 1.0, "p95_ms": 2.26, "p99_ms": 250.0, **more,
    }  # fmt: skip
    return TrafficRow(source=source, destination=destination, **values)  # type: ignore[arg-type]


def record(number: int, line: str = JSON_LINE) -> AccessRecord:
    return AccessRecord(sequence=number, time_ms=1000 * number, proxy="cart-1", service="cart.shop", line=line)


@pytest.fixture
def traffic(api: RunningApi) -> None:
    none: dict[str, object] = {"p50_ms": None, "p95_ms": None, "p99_ms": None, "success_percent": None, "requests": 0}
    api.observation.seen = TrafficReply(
        seconds=59.5,
        services=(row("", "cart.shop"), row("", "stock.shop", **none)),
        edges=(row("web.shop", "cart.shop"), row("cart.shop", "stock.shop")),
        connections=3,
    )


@pytest.mark.usefixtures("traffic")
def test_stat_by_service(run: Run, api: RunningApi) -> None:
    lines = [line.split() for line in run("stat").stdout.splitlines()]
    assert lines == [
        ["SERVICE", "REQUESTS", "SUCCESS", "RPS", "P50", "P95", "P99", "COUNTED", "BY"],
        ["cart.shop", "1200", "99.50%", "20.0", "1.0", "2.3", "250.0", "destination"],
        ["stock.shop", "0", "-", "20.0", "-", "-", "-", "destination"],
    ]
    assert len(run("stat", "stock", "--window", "10").stdout.splitlines()) == 2
    assert api.observation.asked == [(60,), (10,)]
    assert run("stat", "nobody", status=1).stderr == "hopmesh: no requests of nobody in the last 59.5 s\n"
    replied = json.loads(run("stat", "-o", "json").stdout)
    assert (replied["connections"], replied["edges"][0]["p99_ms"]) == (3, 250.0)
    api.observation.seen = TrafficReply(seconds=60.0, services=(), edges=(), connections=0)
    assert run("stat").stderr == "no requests yet\n"


@pytest.mark.usefixtures("traffic")
def test_stat_by_edge(run: Run) -> None:
    lines = [line.split()[:2] for line in run("stat", "--edges").stdout.splitlines()]
    assert lines == [["SOURCE", "DESTINATION"], ["web.shop", "cart.shop"], ["cart.shop", "stock.shop"]]
    assert run("stat", "web.shop", "--edges").stdout.count("\n") == 2
    assert run("stat", "cart", "--edges").stdout.count("\n") == 3


def test_logs(run: Run, api: RunningApi) -> None:
    own = "my format \x1b[31m"
    api.observation.kept = RecordsReply(records=(record(1), record(2, own)), last=2, missed=0, dropped=0)
    first, second = run("logs", "--proxy", "cart-1", "--service", "cart", "--limit", "7").stdout.splitlines()
    assert first.endswith("  cart-1  cart.shop  503 12ms UF GET cart /a -")
    assert second.endswith(r"  cart-1  cart.shop  my format \x1b[31m")
    assert api.observation.asked == [(-1, 7, "cart-1", "cart")]
    whole = [json.loads(line) for line in run("logs", "-o", "json").stdout.splitlines()]
    assert [each["line"] for each in whole] == [JSON_LINE, own]


def test_following_logs(run: Run, api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = iter((
        RecordsReply(records=(record(5, "b"),), last=7, missed=0, dropped=0),
        RecordsReply(records=(record(9, "c"),), last=9, missed=2, dropped=0),
    ))  # fmt: skip

    def next_reply(_seconds: float) -> None:
        reply = next(replies, None)
        if reply is None:
            raise KeyboardInterrupt
        api.observation.kept = reply

    monkeypatch.setattr(logs_module.time, "sleep", next_reply)
    api.observation.kept = RecordsReply(records=(record(4, "a"),), last=4, missed=0, dropped=0)
    result = run("logs", "--follow", status=1)
    assert [line.split()[-1] for line in result.stdout.splitlines()[:3]] == ["a", "b", "c"]
    assert result.stderr.startswith("2 lines came faster than they could be shown\n")
    assert [each[0] for each in api.observation.asked] == [-1, 4, 7]


def test_config_dump(run: Run, api: RunningApi) -> None:
    resources = (
        DumpedResource(type="cluster", name="cart", hash="ab", acknowledged=True, content={"name": "cart"}),
        DumpedResource(type="secret", name="leaf", hash="cd", acknowledged=False, content=None),
    )
    api.observation.dumps["cart-1"] = ConfigDumpReply(
        proxy="cart-1", version=8, acknowledged_version=7, in_sync=False, faults=(), resources=resources,
        leftovers=("listener old",),
    )  # fmt: skip
    assert [line.split() for line in run("config-dump", "cart-1").stdout.splitlines()] == [
        ["cart-1:", "not", "in", "sync,", "version", "8,", "acknowledged", "7"],
        ["TYPE", "NAME", "HASH", "ACKNOWLEDGED"],
        ["cluster", "cart", "ab", "yes"],
        ["secret", "leaf", "cd", "no"],
        ["to", "be", "removed:", "listener", "old"],
    ]
    (only,) = json.loads(run("config-dump", "cart-1", "--type", "cluster", "-o", "json").stdout)["resources"]
    assert only["content"] == {"name": "cart"}
    assert run("config-dump", "nobody", status=1).stderr == "hopmesh: no proxy 'nobody' is connected\n"
