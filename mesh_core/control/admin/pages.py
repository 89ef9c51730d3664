"""The pages of the admin endpoint. Each takes a proxy and a query and returns an answer; none does I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import orjson

from mesh_core.control import logs
from mesh_core.control.admin import prometheus
from mesh_core.control.admin.certs import certificates
from mesh_core.control.admin.clusters import clusters_text, describe_clusters
from mesh_core.control.admin.statistics import process_statistics, statistics
from mesh_core.control.admin.stats_filter import FilterError, compile_filter
from mesh_core.control.http_server import Answer, text
from mesh_core.control.proxy import Proxy
from mesh_core.control.tls import expiry

Query = dict[str, str]


class Page(NamedTuple):
    """A path, the method it takes, what it is for, and who answers."""

    method: str
    help: str
    answer: Callable[[Proxy, Query], Awaitable[Answer]]


def as_json(value: Any) -> Answer:
    """A JSON answer."""
    return Answer(200, orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n", "application/json")


async def home(_proxy: Proxy, _query: Query) -> Answer:
    return text("".join(f"{page.method:5}{path:20} {page.help}\n" for path, page in PAGES.items()))


async def live(_proxy: Proxy, _query: Query) -> Answer:
    return text("LIVE\n")


async def ready(proxy: Proxy, _query: Query) -> Answer:
    state = {"live": "LIVE", "draining": "DRAINING"}.get(proxy.state, "INITIALIZING")
    return text(state + "\n", 200 if proxy.state == "live" else 503)


async def stats(proxy: Proxy, query: Query) -> Answer:
    if query.get("format", "text") not in ("text", "json"):
        return text("format: text or json; for Prometheus there is /stats/prometheus\n", 400)
    try:
        wanted = compile_filter(query.get("filter", ""))
    except FilterError as error:
        return text(f"filter: {error}\n", 400)
    chosen = {
        name: value
        for name, value in statistics(proxy).items()
        if wanted(name) and (value or "usedonly" not in query)
    }
    if query.get("format") == "json":
        return as_json({"stats": [{"name": name, "value": value} for name, value in chosen.items()]})
    return text("".join(f"{name}: {value}\n" for name, value in chosen.items()))


async def stats_prometheus(proxy: Proxy, _query: Query) -> Answer:
    process = process_statistics(proxy)
    body = prometheus.render(proxy.registry, proxy.members, process, proxy.request_series, proxy.config.node)
    return Answer(200, body.encode(), prometheus.CONTENT_TYPE)


async def config_dump(proxy: Proxy, _query: Query) -> Answer:
    return as_json({"version": proxy.snapshot_version, "config": msgspec.to_builtins(proxy.config)})


async def clusters(proxy: Proxy, query: Query) -> Answer:
    described = describe_clusters(proxy)
    return as_json({"clusters": described}) if query.get("format") == "json" else text(clusters_text(described))


async def listeners(proxy: Proxy, query: Query) -> Answer:
    addresses = proxy.listener_addresses
    if query.get("format") == "json":
        return as_json({"listeners": [{"name": name, "address": where} for name, where in addresses.items()]})
    return text("".join(f"{name}::{address}\n" for name, address in addresses.items()))


async def certs(proxy: Proxy, _query: Query) -> Answer:
    return as_json(certificates(proxy.tls.current.users, expiry.now()))


async def drain_listeners(proxy: Proxy, _query: Query) -> Answer:
    await proxy.drain_listeners()
    return text("OK\n")


async def logging(_proxy: Proxy, query: Query) -> Answer:
    level = query.get("level")
    if level is not None:
        if level not in logs.LEVELS:
            return text(f"level: one of {', '.join(logs.LEVELS)}\n", 400)
        logs.set_level(level)
    return text(f"level: {logs.current_level()}\n")


PAGES = {
    "/": Page("GET", "this list", home),
    "/live": Page("GET", "200 while the process runs", live),
    "/ready": Page("GET", "200 while it accepts connections, otherwise 503", ready),
    "/stats": Page("GET", "statistics; ?usedonly, ?filter=PATTERN (such as ^cluster.*cx_total$), ?format=json", stats),
    "/stats/prometheus": Page("GET", "statistics for Prometheus", stats_prometheus),
    "/config_dump": Page("GET", "the running configuration", config_dump),
    "/clusters": Page("GET", "clusters and their endpoints; ?format=json", clusters),
    "/listeners": Page("GET", "listeners and where they listen; ?format=json", listeners),
    "/certs": Page("GET", "certificates in use, and the days that they have left", certs),
    "/drain_listeners": Page("POST", "stop accepting; open connections go on", drain_listeners),
    "/logging": Page("POST", "show or set the log level; ?level=debug", logging),
}
