"""The API's server: which request is whose, and which are refused before anybody is asked."""

from __future__ import annotations

import ipaddress
import pwd
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct

from mesh_core.control.http_server import Answer, HttpServer, Request, sent_by_a_web_page
from mesh_cp.api.changing import Changing
from mesh_cp.api.messages import ApplyRequest, DeleteRequest, ErrorReply, RollbackRequest
from mesh_cp.api.observing import Observing
from mesh_cp.api.queries import Query
from mesh_cp.api.reading import Reading
from mesh_cp.api.refusals import RefusedError, as_json, refusal
from mesh_cp.catalog import Catalog, CatalogError
from mesh_cp.observation import Observation
from mesh_cp.propagation import Propagation
from mesh_cp.store import Store, StoreError

BODY_LIMIT_BYTES = 32 << 20

Read = Callable[[Query], Awaitable[Any]]
Write = Callable[[Any, str], Awaitable[Any]]


class ApiServer(HttpServer):
    """Serves the API of one control plane."""

    field = "api.address"
    connections_limit = 256
    body_limit_bytes = BODY_LIMIT_BYTES
    bodies_limit_bytes = 2 * BODY_LIMIT_BYTES

    def __init__(
        self, store: Store, propagation: Propagation, observation: Observation, socket_mode: int = 0o600
    ) -> None:
        """`socket_mode`: the permissions of the file, where it listens on a Unix socket."""
        super().__init__()
        self.socket_mode = socket_mode
        catalog = Catalog(store)
        reading, changing = Reading(store, catalog, propagation), Changing(catalog, propagation)
        observing = Observing(observation)
        self._reads: dict[str, Read] = {
            "/v1/version": reading.version,
            "/v1/resources": reading.resources,
            "/v1/describe": reading.describe,
            "/v1/history": reading.history,
            "/v1/change": reading.change,
            "/v1/proxies": reading.proxies,
            "/v1/watch": reading.watch,
            "/v1/stat": observing.stat,
            "/v1/logs": observing.logs,
            "/v1/config-dump": observing.config_dump,
        }
        self._writes: dict[str, tuple[type[Struct], Write]] = {
            "/v1/apply": (ApplyRequest, changing.apply),
            "/v1/delete": (DeleteRequest, changing.delete),
            "/v1/rollback": (RollbackRequest, changing.rollback),
        }

    def _refusal(self, status: int, reason: str) -> Answer:
        word = {413: "too_large", 500: "internal", 503: "busy"}.get(status, "bad_request")
        return as_json(ErrorReply(error=word, message=reason), status)

    async def _answer(self, request: Request) -> Answer:
        try:
            _check_origin(request)
            if request.path in self._reads:
                _check_method(request, "GET")
                reply = await self._reads[request.path](request.query)
            elif request.path in self._writes:
                _check_method(request, "POST")
                of, write = self._writes[request.path]
                reply = await write(_decoded(request, of), _author(request))
            else:
                paths = ", ".join([*self._reads, *self._writes])
                raise RefusedError(404, "not_found", f"no {request.path[:100]}; there are {paths}")
        except (RefusedError, CatalogError, StoreError) as error:
            return refusal(error)
        if isinstance(reply, AsyncGenerator):
            return Answer(200, reply, "application/x-ndjson")
        return as_json(reply)


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise RefusedError(405, "bad_request", f"{request.path} is for {method} only")


def _check_origin(request: Request) -> None:
    """Refuse what web pages send: any page that an operator opens may reach loopback, by its address or a name."""
    if request.method != "GET" and sent_by_a_web_page(request):
        raise RefusedError(403, "forbidden", "sent by a web page")
    if request.peer_user is None and not _is_local_name(request.headers.get("host", "")):
        raise RefusedError(403, "forbidden", "the Host header is neither an IP address nor localhost")


def _is_local_name(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _decoded(request: Request, of: type[Struct]) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "bad_request", "the content type must be application/json")
    try:
        return msgspec.json.decode(request.body, type=of)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError(400, "bad_request", f"not a request: {error}") from error


def _author(request: Request) -> str:
    """Who asks: the user at the other end of a Unix socket; over TCP nobody can tell."""
    if request.peer_user is None:
        return "unknown"
    try:
        return pwd.getpwuid(request.peer_user).pw_name
    except KeyError:
        return f"uid {request.peer_user}"
