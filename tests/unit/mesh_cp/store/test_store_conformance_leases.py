"""What every implementation of the store does alike, as etcd does: leases."""

from __future__ import annotations

import pytest

from mesh_cp.store import Changes, Delete, Event, LeaseNotFoundError, LimitError, Put
from mesh_cp.store.interface import TTL_LIMIT_MS
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import OpenStore, take, values


@on_loop
async def test_a_lease_that_expires_takes_its_keys_with_it(store: OpenStore) -> None:
    async with store() as made:
        lease = await made.grant(20)
        assert lease.ttl_ms == 20
        async with made.watch("") as watch:
            await made.transact([Put("a", b"", lease.id), Put("b", b"", lease.id), Put("c", b"")])
            await take(watch, 1)
            assert await anext(watch) == Changes(3, (Event("a", None), Event("b", None)))
        assert list(await values(made)) == ["c"]
        with pytest.raises(LeaseNotFoundError):
            await made.keep_alive(lease.id)
        with pytest.raises(LeaseNotFoundError):
            await made.put("a", b"", lease.id)
        assert await made.revision() == 3


@on_loop
async def test_revoking_a_lease(store: OpenStore) -> None:
    async with store() as made:
        lease = await made.grant(TTL_LIMIT_MS)
        await made.keep_alive(lease.id)
        await made.put("a", b"", lease.id)
        entry = await made.get("a")
        assert entry is not None and entry.lease == lease.id
        await made.revoke(lease.id)
        assert await values(made) == {}
        with pytest.raises(LeaseNotFoundError):
            await made.revoke(lease.id)
        with pytest.raises(LeaseNotFoundError) as caught:
            await made.keep_alive(lease.id)
        assert caught.value.lease == lease.id


@on_loop
async def test_a_key_that_is_put_again_leaves_its_lease(store: OpenStore) -> None:
    async with store() as made:
        first, second = await made.grant(TTL_LIMIT_MS), await made.grant(TTL_LIMIT_MS)
        assert first.id != second.id
        await made.transact([Put("a", b"", first.id), Put("b", b"", first.id), Put("c", b"", first.id)])
        await made.transact([Put("a", b""), Put("b", b"", second.id), Delete("c")])
        revision = await made.revision()
        await made.revoke(first.id)
        assert await made.revision() == revision
        await made.revoke(second.id)
        assert list(await values(made)) == ["a"]


@pytest.mark.parametrize("ttl_ms", [0, -1, TTL_LIMIT_MS + 1])
@on_loop
async def test_times_that_no_lease_can_have(store: OpenStore, ttl_ms: int) -> None:
    async with store() as made:
        with pytest.raises(LimitError):
            await made.grant(ttl_ms)
