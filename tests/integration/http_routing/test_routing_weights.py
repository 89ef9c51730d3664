"""Clusters that share the requests of a route by weight."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import pytest

from tests.support.http_messages import get
from tests.support.http_origin import HttpOrigin
from tests.support.http_service import HttpService, to

Settings = dict[str, Any]
REQUESTS = 400
UNLIKELY = Fraction(1, 10**10)


def bounds(count: int, share: Fraction) -> tuple[int, int]:
    """Between which a fair choice falls, but for a chance of 1 in 10^10 on either side: exact, by the binomial."""

    def chance(hits: int) -> Fraction:
        return comb(count, hits) * share**hits * (1 - share) ** (count - hits)

    low, below = 0, chance(0)
    while below < UNLIKELY:
        low += 1
        below += chance(low)
    high, above = count, chance(count)
    while above < UNLIKELY:
        high -= 1
        above += chance(high)
    return low, high


def ask(service: HttpService, count: int) -> None:
    """Send them all at once on one connection; every one must be answered."""
    with service.client() as client:
        client.send(b"".join(get(b"/%d" % number) for number in range(count)))
        for _ in range(count):
            assert client.response().status == 200


def weighted(*weights: int) -> list[Settings]:
    return [{"cluster": f"c{number}", "weight": weight} for number, weight in enumerate(weights)]


def clusters(origins: list[HttpOrigin]) -> list[Settings]:
    return [to(origin, name=f"c{number}") for number, origin in enumerate(origins)]


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (5, 0, 3)])
def test_shares(service: HttpService, weights: tuple[int, ...]) -> None:
    origins = [service.origin() for _ in weights]
    service.serve(*clusters(origins), routes=[{"clusters": weighted(*weights)}])
    ask(service, REQUESTS)
    found = service.served(*origins)
    assert sum(found) == REQUESTS
    for number, (weight, count) in enumerate(zip(weights, found, strict=True)):
        low, high = bounds(REQUESTS, Fraction(weight, sum(weights))) if weight else (0, 0)
        assert low <= count <= high, (weights, found)
        assert service.cluster(f"c{number}")["upstream_rq_total"] == count


def test_no_weight_at_all(service: HttpService) -> None:
    """A rule whose every backend has weight 0 is answered by 500."""
    origin = service.origin()
    service.serve(to(origin, name="c0"), routes=[{"clusters": weighted(0)}])
    assert service.get(b"/").status == 500
    assert origin.connections == []
    assert service.listener()["downstream_rq_5xx"] == 1


def test_each_has_edits_of_its_own(service: HttpService) -> None:
    """A request's headers are changed by the route and then by the cluster, a response's the other way round."""
    origins = [service.origin(), service.origin()]
    shares = weighted(1, 1)
    for number, share in enumerate(shares):
        share["request_headers"] = {"set": {"x-share": f"c{number}", "x-both": "cluster"}}
        share["response_headers"] = {"add": {"x-from": f"c{number}"}, "set": {"x-both": "cluster"}}
    service.serve(*clusters(origins), routes=[{
        "clusters": shares, "request_headers": {"set": {"x-both": "route"}},
        "response_headers": {"set": {"x-both": "route"}},
    }])  # fmt: skip
    seen = set()
    with service.client() as client:
        for number in range(200):
            response = client.exchange(get(b"/%d" % number))
            seen.update(response.values(b"x-from"))
            assert len(response.values(b"x-from")) == 1
            assert response.values(b"x-both") == [b"route"]
            if len(seen) == 2:
                break
    assert seen == {b"c0", b"c1"}
    for number, origin in enumerate(origins):
        for message in origin.requests:
            assert message.values(b"x-share") == [b"c%d" % number]
            assert message.values(b"x-both") == [b"cluster"]
