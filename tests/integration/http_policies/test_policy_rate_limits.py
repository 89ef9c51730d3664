"""Local rate limits: who is let through, who is told what, and what outlives a reload."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get
from tests.support.http_service import HttpService, to

# So slow that no token comes while a test runs.
SLOW: dict[str, Any] = {"name": "r", "max_tokens": 3, "fill_interval_ms": 86_400_000}


def serve(service: HttpService, *rules: dict[str, Any], **more: Any) -> Any:
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "rate_limits": list(rules)}], **more)
    return origin


def statuses(service: HttpService, count: int, *fields: bytes, target: bytes = b"/") -> list[int]:
    with service.client() as client:
        return [client.exchange(get(target, *fields)).status for _ in range(count)]


def rule(service: HttpService, name: str = "r") -> tuple[int, int, int, int]:
    stats = service.proxy.stats("rate_limit", name)
    return stats["ok"], stats["rate_limited"], stats["enforced"], stats["descriptor_overflow"]


def test_one_bucket(service: HttpService) -> None:
    origin = serve(service, SLOW)
    assert statuses(service, 5) == [200] * 3 + [429] * 2
    assert len(origin.requests) == 3
    assert rule(service) == (3, 2, 2, 0)
    answer = service.get(b"/")
    assert answer.body == b"local_rate_limited"
    (retry_after,) = answer.values(b"retry-after")
    assert 86_000 < int(retry_after) <= 86_400
    assert answer.values(b"x-ratelimit-limit") == []


def test_all_workers_share_it(service: HttpService) -> None:
    serve(service, SLOW | {"max_tokens": 10})
    assert sorted(service.get(b"/").status for _ in range(20)) == [200] * 10 + [429] * 10


def test_tokens_come(service: HttpService) -> None:
    """As fast as that a further one is there for whoever asks a second time, however soon."""
    serve(service, {"name": "r", "max_tokens": 1, "tokens_per_fill": 1_000_000, "fill_interval_ms": 1000})
    assert set(statuses(service, 50)) == {200}


def test_by_header(service: HttpService) -> None:
    serve(service, SLOW | {"descriptors": [{"header": "x-user"}]})
    assert statuses(service, 4, b"X-User: a") == [200] * 3 + [429]
    assert statuses(service, 4, b"X-User: b") == [200] * 3 + [429]
    # Who does not have it is not subject to the rule.
    assert statuses(service, 5) == [200] * 5
    assert rule(service) == (6, 2, 2, 0)


def test_by_source_address(service: HttpService) -> None:
    serve(service, SLOW | {"descriptors": [{"source_address": True}]})
    assert statuses(service, 2) + statuses(service, 2) == [200] * 3 + [429]


def test_by_path(service: HttpService) -> None:
    serve(service, SLOW | {"descriptors": [{"path_segments": 2}], "max_tokens": 1})
    assert statuses(service, 1, target=b"/a/b/c") == [200]
    assert statuses(service, 1, target=b"/a/b/d?e") == [429]
    assert statuses(service, 1, target=b"/a/b") == [429]
    assert statuses(service, 1, target=b"/a/bc") == [200]
    assert statuses(service, 1, target=b"/a") == [200]
    assert statuses(service, 1, target=b"/") == [200]


def test_each_key_alone(service: HttpService) -> None:
    serve(service, SLOW | {"descriptors": [{"header": "a"}, {"header": "b"}], "max_tokens": 1})
    assert statuses(service, 2, b"a: 1", b"b: 2") == [200, 429]
    assert statuses(service, 1, b"a: 2", b"b: 1") == [200]
    assert statuses(service, 2, b"a: 1") == [200] * 2


def test_more_keys_than_places(service: HttpService) -> None:
    serve(service, SLOW | {"descriptors": [{"header": "x-user"}], "max_descriptors": 1, "max_tokens": 1})
    with service.client() as client:
        got = [client.exchange(get(b"/", b"x-user: %d" % each)).status for each in range(20)]
    # Eight places, and one bucket for the rest.
    assert got == [200] * 9 + [429] * 11
    assert rule(service) == (9, 11, 11, 12)


def test_matches(service: HttpService) -> None:
    serve(service, SLOW | {"headers": [{"name": "x-a", "exact": "1"}], "max_tokens": 1})
    assert statuses(service, 2, b"X-A: 1") == [200, 429]
    assert statuses(service, 2, b"X-A: 2") == [200] * 2


def test_tried_out(service: HttpService) -> None:
    serve(service, SLOW | {"enforced_percentage": 0})
    assert statuses(service, 5) == [200] * 5
    assert rule(service) == (3, 2, 0, 0)


def test_headers(service: HttpService) -> None:
    serve(
        service,
        SLOW | {"x_ratelimit_headers": True, "retry_after": False, "status": 503},
        {"name": "wide", "max_tokens": 1000, "x_ratelimit_headers": True},
    )
    with service.client() as client:
        answers = [client.exchange(get(b"/")) for _ in range(4)]
    assert [each.status for each in answers] == [200] * 3 + [503]
    # Those of the rule that is nearer to its limit.
    assert [each.values(b"x-ratelimit-limit") for each in answers] == [[b"3"]] * 4
    assert [each.values(b"x-ratelimit-remaining") for each in answers] == [[b"2"], [b"1"], [b"0"], [b"0"]]
    assert [each.values(b"retry-after") for each in answers] == [[]] * 4
    resets = [int(each.values(b"x-ratelimit-reset")[0]) for each in answers]
    day = 86_400
    for reset, expected in zip(resets, [day, 2 * day, 3 * day, 3 * day], strict=True):
        assert expected - 400 < reset <= expected


def test_rules_of_one_name_are_one(service: HttpService) -> None:
    routes = [
        {"matches": [{"path": {"prefix": f"/{each}"}}], "cluster": "app", "rate_limits": [SLOW]} for each in "ab"
    ]
    service.serve(to(service.origin()), routes=routes)
    assert statuses(service, 2, target=b"/a") + statuses(service, 2, target=b"/b") == [200] * 3 + [429]


def test_a_route_may_be_free_of_its_virtual_hosts_rules(service: HttpService) -> None:
    routes = [
        {"matches": [{"path": {"prefix": "/free"}}], "cluster": "app", "rate_limits": []},
        {"cluster": "app"},
    ]
    hosts = [{"name": "a", "hosts": ["*"], "routes": routes, "rate_limits": [SLOW]}]
    service.serve(to(service.origin()), virtual_hosts=hosts)
    assert statuses(service, 4) == [200] * 3 + [429]
    assert statuses(service, 4, target=b"/free") == [200] * 4


@pytest.mark.parametrize("changed", [False, True])
def test_reload(service: HttpService, changed: bool) -> None:
    origin = serve(service, SLOW)
    assert statuses(service, 2) == [200] * 2
    after = SLOW | {"max_tokens": 4} if changed else SLOW
    more = {"matches": [{"path": {"prefix": "/new"}}], "direct_response": {"status": 404}}
    service.apply(to(origin), routes=[more, {"cluster": "app", "rate_limits": [after]}])
    assert statuses(service, 5) == ([200] * 4 + [429] if changed else [200] + [429] * 4)
