"""Requests that change something."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from mesh_cp.api.messages import ApplyRequest, ChangeReply, DeleteRequest, EditReply, File, RollbackRequest
from mesh_cp.api.reading import checked_key
from mesh_cp.api.refusals import RefusedError
from mesh_cp.catalog import Catalog, Result
from mesh_cp.propagation import Propagation
from mesh_cp.resources import Key, Loaded, Resource, ResourceFault, load

log = structlog.get_logger("hopmesh.api")

FILE_LIMIT = 10_000


class Changing:
    """Applies, deletes, goes back: each whole or not at all."""

    def __init__(self, catalog: Catalog, propagation: Propagation) -> None:
        self._catalog = catalog
        self._propagation = propagation

    async def apply(self, request: ApplyRequest, author: str) -> ChangeReply:
        """Have what stands in the files. Raises RefusedError, CatalogError, StoreError."""
        loaded = await _loaded(request.files)

        async def change() -> Result:
            return await self._catalog.apply(loaded.resources, author, dry_run=request.dry_run)

        keys = [resource.key for resource in loaded.resources]
        return await self._reply(request, change, keys, loaded)

    async def delete(self, request: DeleteRequest, author: str) -> ChangeReply:
        """Have none of them. Raises RefusedError, CatalogError, StoreError."""
        loaded = await _loaded(request.files)
        keys = [*(checked_key(key) for key in request.keys), *(resource.key for resource in loaded.resources)]

        async def change() -> Result:
            return await self._catalog.delete(
                keys, author, missing_ok=request.missing_ok, dry_run=request.dry_run
            )

        return await self._reply(request, change, (), loaded)

    async def rollback(self, request: RollbackRequest, author: str) -> ChangeReply:
        """Have all as it was. Raises RefusedError, CatalogError, StoreError."""
        to = request.to
        if to is None:
            last = await self._catalog.changes(limit=1)
            if not last:
                raise RefusedError(404, "not_found", "nothing was changed yet")
            to = last[0].number - 1

        async def change() -> Result:
            return await self._catalog.rollback(to, author, dry_run=request.dry_run)

        return await self._reply(request, change, (), Loaded((), (), ()))

    async def _reply(
        self,
        request: ApplyRequest | DeleteRequest | RollbackRequest,
        change: Callable[[], Awaitable[Result]],
        wanted: Sequence[Key],
        loaded: Loaded,
    ) -> ChangeReply:
        result = await change()
        committed_s = time.monotonic()
        if result.change is not None:
            done = result.change
            log.info("changed", change=done.number, action=done.action, author=done.author, resources=len(result.edits))
        propagation = None
        if request.wait_ms and result.change is not None:
            timeout_s = request.wait_ms / 1000
            propagation = await self._propagation.acknowledged(result.revision, committed_s, timeout_s)
        touched = {edit.key for edit in result.edits}
        return ChangeReply(
            revision=result.revision,
            change=result.change,
            edits=tuple(EditReply.of(edit, with_documents=request.dry_run) for edit in result.edits),
            unchanged=tuple(key for key in wanted if key not in touched),
            skipped=loaded.skipped,
            warnings=loaded.faults,
            propagation=propagation,
            preview=tuple(await self._propagation.preview(result.edits)) if request.dry_run else (),
        )


async def _loaded(files: Sequence[File]) -> Loaded:
    """All that stands in the files. Raises RefusedError, with all that is wrong in any of them."""
    if len(files) > FILE_LIMIT:
        raise RefusedError(413, "too_large", f"more than {FILE_LIMIT} files")
    # Not on the loop's thread: a large file takes seconds.
    loaded = await asyncio.get_running_loop().run_in_executor(None, load_files, files)
    if loaded.errors or loaded.omitted:
        count = len(loaded.errors) + loaded.omitted
        message = f"nothing was changed: {count} fault{'s' if count > 1 else ''} in the manifests"
        raise RefusedError(422, "invalid", message, loaded)
    return loaded


def load_files(files: Sequence[File]) -> Loaded:
    """What stands in several files, as of one; a resource that stands in two of them is a fault."""
    each = [load(file.text, file.name) for file in files]
    resources: dict[Key, Resource] = {}
    faults = [fault for loaded in each for fault in loaded.faults]
    for resource in (resource for loaded in each for resource in loaded.resources):
        first = resources.setdefault(resource.key, resource)
        if first is not resource:
            faults.append(_twice(resource, first))
    skipped = tuple(skipped for loaded in each for skipped in loaded.skipped)
    return Loaded(tuple(resources.values()), skipped, tuple(faults), sum(loaded.omitted for loaded in each))


def _twice(resource: Resource, first: Resource) -> ResourceFault:
    where = first.source if first.line is None else f"{first.source}:{first.line}"
    return ResourceFault(
        weight="error",
        source=resource.source,
        resource=str(resource.key),
        path="metadata.name",
        line=resource.line,
        column=1,
        message=f"it stands in {where} already",
        hint="remove one of them",
    )
