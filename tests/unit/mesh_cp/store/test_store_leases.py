"""When leases expire, by a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from mesh_cp.store import Lease, LeaseNotFoundError
from mesh_cp.store.sqlite.leases import LeaseTimes
from tests.support.on_loop import on_loop

HOUR_MS = 3_600_000


def made(*ttls_ms: int) -> tuple[LeaseTimes, list[int], float]:
    expired: list[int] = []
    now_s = asyncio.get_running_loop().time()
    times = LeaseTimes((Lease(number, ttl) for number, ttl in enumerate(ttls_ms, 1)), expired.append)
    return times, expired, now_s


@on_loop
async def test_each_in_its_time() -> None:
    times, expired, now_s = made(3 * HOUR_MS, HOUR_MS, 2 * HOUR_MS)
    times.expire(now_s + 3599)
    assert expired == []
    times.expire(now_s + 2 * 3600 + 60)
    assert expired == [2, 3]
    times.expire(now_s + 4 * 3600)
    times.expire(now_s + 9 * 3600)
    assert expired == [2, 3, 1]
    times.close()


@on_loop
async def test_one_that_is_kept_alive_begins_anew() -> None:
    times, expired, now_s = made(HOUR_MS, HOUR_MS)
    times._deadlines[1] = now_s + 1.5 * 3600
    times.expire(now_s + 3660)
    assert expired == [2]
    times.keep_alive(1)
    assert times._deadlines[1] < now_s + 3660
    with pytest.raises(LeaseNotFoundError):
        times.keep_alive(2)
    times.expire(now_s + 2 * 3600)
    assert expired == [2, 1]
    times.close()


@on_loop
async def test_one_that_was_revoked_does_not_expire() -> None:
    times, expired, now_s = made(HOUR_MS)
    times.remove(1)
    times.expire(now_s + 2 * 3600)
    assert expired == []
    times.close()


@on_loop
async def test_the_timer_is_that_of_the_next() -> None:
    times, _, now_s = made(HOUR_MS)
    times.add(Lease(2, 60_000))
    assert times._timer is not None and times._timer.when() < now_s + 120
    times.close()
    assert times._timer.cancelled()
