"""What operators have applied: changes, their history, and the way back."""

from __future__ import annotations

import asyncio

import pytest

from mesh_cp.catalog import Catalog, ConflictError, HistoryError, MissingError, SizeError
from mesh_cp.catalog import catalog as catalog_module
from mesh_cp.catalog.records import DOCUMENT_LIMIT_BYTES
from mesh_cp.resources import Key, load
from tests.support.manifests import resources, service
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop

WEB = Key("Service", "default", "web")


async def ports(catalog: Catalog) -> dict[str, int]:
    listed = await catalog.resources()
    return {str(item.key): item.document["spec"]["ports"][0]["port"] for item in listed.items}


@on_loop
async def test_applying() -> None:
    catalog = Catalog(MemoryStore())
    result = await catalog.apply(resources(service(), service("db", 5432, "data")), "ann")
    assert [(str(edit.key), edit.action) for edit in result.edits] == [
        ("Service default/web", "created"),
        ("Service data/db", "created"),
    ]
    assert result.change is not None
    assert (result.change.number, result.change.author, result.change.action) == (1, "ann", "apply")
    assert (result.change.created, result.change.configured, result.change.deleted) == (2, 0, 0)
    listed = await catalog.resources()
    assert listed.revision == result.revision == 2
    assert await ports(catalog) == {"Service data/db": 5432, "Service default/web": 80}
    (item,) = (await catalog.resources("Service", "default", "web")).items
    assert (item.source, item.line, item.create_revision, item.revision) == ("test.yaml", 1, 2, 2)
    assert (await catalog.resources(namespace="data")).items[0].key.name == "db"
    assert (await catalog.resources("TCPRoute")).items == ()


@on_loop
async def test_applying_the_same_again_changes_nothing() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(service()), "ann")
    reordered = "spec: {ports: [{appProtocol: http, port: 80, name: http}], selector: {app: web}}\nkind: Service\n" \
        "metadata: {name: web}\napiVersion: v1\n"
    for text in (service(), service(version="r2"), service(version="r1"), service(version='"881923"'), reordered):
        result = await catalog.apply(resources(text), "ann")
        assert (result.edits, result.change, result.revision) == ((), None, 2)
    result = await catalog.apply(resources(service(port=81), service("new")), "ann")
    assert [edit.action for edit in result.edits] == ["configured", "created"]


@on_loop
async def test_who_edits_an_old_version_is_told_and_nothing_is_changed() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(service()), "ann")
    (item,) = (await catalog.resources()).items
    assert item.versioned["metadata"] == {"name": "web", "resourceVersion": "r2"}
    await catalog.apply(resources(service(port=81, version="r2")), "bob")
    with pytest.raises(ConflictError, match="Service default/web"):
        await catalog.apply(resources(service(port=82, version="r2"), service("new")), "ann")
    with pytest.raises(ConflictError):
        await catalog.apply(resources(service("never-was", version="r7")), "ann")
    assert await ports(catalog) == {"Service default/web": 81}


@on_loop
async def test_a_dry_run_tells_and_does_nothing() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(service()), "ann")
    result = await catalog.apply(resources(service(port=81), service("new")), "ann", dry_run=True)
    assert [(edit.key.name, edit.action) for edit in result.edits] == [("web", "configured"), ("new", "created")]
    assert result.change is None
    before, after = result.edits[0].before, result.edits[0].after
    assert before is not None and before["spec"]["ports"][0]["port"] == 80
    assert after is not None and after["spec"]["ports"][0]["port"] == 81
    assert await ports(catalog) == {"Service default/web": 80}
    assert len(await catalog.changes()) == 1


@on_loop
async def test_deleting() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(service(), service("db")), "ann")
    missing = Key("Service", "default", "none")
    with pytest.raises(MissingError, match="not there: Service default/none"):
        await catalog.delete([WEB, missing], "ann")
    assert len(await ports(catalog)) == 2
    result = await catalog.delete([WEB, missing, WEB], "ann", missing_ok=True)
    assert [(edit.key, edit.action) for edit in result.edits] == [(WEB, "deleted")]
    assert await ports(catalog) == {"Service default/db": 80}


@on_loop
async def test_history() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(service()), "ann")
    await catalog.apply(resources(service(port=81), service("db")), "bob")
    await catalog.delete([Key("Service", "default", "db")], "cat")
    changes = await catalog.changes()
    assert [(each.number, each.revision, each.author, each.action) for each in changes] == [
        (3, 4, "cat", "delete"),
        (2, 3, "bob", "apply"),
        (1, 2, "ann", "apply"),
    ]
    assert [each.number for each in await catalog.changes(limit=2)] == [3, 2]
    assert [each.number for each in await catalog.changes(WEB)] == [2, 1]
    assert [each.number for each in await catalog.changes(WEB, limit=1)] == [2]
    change, edits = await catalog.edits(2)
    assert (change.created, change.configured) == (1, 1)
    assert [(edit.key.name, edit.action) for edit in edits] == [("db", "created"), ("web", "configured")]
    for number in (0, 4, -1):
        with pytest.raises(HistoryError, match=f"history has no change {number}"):
            await catalog.edits(number)


@on_loop
async def test_the_way_back() -> None:
    catalog = Catalog(MemoryStore())
    states = [await ports(catalog)]
    for step in range(6):
        if step == 3:
            await catalog.delete([WEB], "ann")
        else:
            await catalog.apply(resources(service(port=80 + step), service(f"s{step % 2}", 90 + step)), "ann")
        states.append(await ports(catalog))
    for to in (4, 6, 0, 3, 5, 1):
        result = await catalog.rollback(to, "bob")
        assert await ports(catalog) == states[to]
        assert result.change is not None
        assert (result.change.action, result.change.to) == ("rollback", to)
    assert (await catalog.rollback(1, "bob")).change is None
    with pytest.raises(HistoryError, match="there is no change 99; the last one is 12"):
        await catalog.rollback(99, "bob")
    dry = await catalog.rollback(2, "bob", dry_run=True)
    assert len(dry.edits) == 2 and await ports(catalog) == states[1]


@on_loop
async def test_history_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "CHANGES_KEPT", 3)
    store = MemoryStore()
    catalog = Catalog(store)
    for number in range(6):
        await catalog.apply(resources(service(port=80 + number)), "ann")
    assert [each.number for each in await catalog.changes()] == [6, 5, 4]
    assert len((await store.list("change-edits/")).entries) == 3
    await catalog.rollback(3, "ann")
    assert await ports(catalog) == {"Service default/web": 82}
    with pytest.raises(HistoryError, match="history has no change"):
        await catalog.rollback(3, "ann")
    monkeypatch.setattr(catalog_module, "CHANGES_KEPT_BYTES", 100)
    await catalog.apply(resources(service(port=99)), "ann")
    assert len(await catalog.changes()) == 1


@on_loop
async def test_many_at_once_lose_nothing() -> None:
    store = MemoryStore()
    # Two control planes on one store, each with many operators.
    catalogs = [Catalog(store), Catalog(store)]
    await asyncio.gather(
        *(catalogs[number % 2].apply(resources(service(f"s{number}")), f"op{number}") for number in range(20))
    )
    assert len(await ports(catalogs[0])) == 20
    changes = await catalogs[0].changes()
    assert [each.number for each in changes] == list(range(20, 0, -1))
    assert {each.author for each in changes} == {f"op{number}" for number in range(20)}


@on_loop
async def test_many_resources() -> None:
    catalog = Catalog(MemoryStore())
    await catalog.apply(resources(*(service(f"s{number}") for number in range(60))), "ann")
    result = await catalog.apply(resources(*(service(f"s{number}", 80 + number % 2) for number in range(60))), "ann")
    assert len(result.edits) == 30
    await catalog.rollback(0, "ann")
    assert await ports(catalog) == {}


@on_loop
async def test_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(MemoryStore())
    loaded = load(service() + f"status: {{note: {'x' * DOCUMENT_LIMIT_BYTES}}}\n", "big.yaml")
    with pytest.raises(SizeError, match=f"Service default/web is larger than {DOCUMENT_LIMIT_BYTES} bytes"):
        await catalog.apply(loaded.resources, "ann")
    monkeypatch.setattr(catalog_module, "EDIT_LIMIT", 2)
    with pytest.raises(SizeError, match="more than 2 resources"):
        await catalog.apply(resources(service("a"), service("b"), service("c")), "ann")
    assert await ports(catalog) == {}
