"""DNS clusters as an operator meets them: readiness, the hosts file, what is told, the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.dns_server import DnsServer
from tests.support.peer import refusing
from tests.support.process import ProxyProcess, one_listener, running, write_config
from tests.support.process_traffic import admin, ask, connect


def dns_config(endpoint: str, **more: Any) -> dict[str, Any]:
    config = one_listener(endpoint)
    config["clusters"][0] |= {"type": "strict_dns"} | more
    return config


def test_localhost_needs_no_dns(folder: Path, echo: str) -> None:
    """It stands in every hosts file; the page says under which name an endpoint was found."""
    port = echo.rpartition(":")[2]
    with refusing() as nowhere:
        config = dns_config(f"localhost:{port}", dns_resolvers=[nowhere], dns_lookup_family="v4_only")
        with running(folder, config) as proxy:
            with connect(proxy.address()) as client:
                ask(client, b"hello")
            page = admin(proxy.admin, "/clusters").text.splitlines()
            assert "app::type::strict_dns" in page
            assert f"app::127.0.0.1:{port}::hostname::localhost:{port}" in page
            (cluster,) = json.loads(admin(proxy.admin, "/clusters?format=json").body)["clusters"]
            (endpoint,) = cluster["endpoints"]
            assert (endpoint["address"], endpoint["hostname"]) == (f"127.0.0.1:{port}", f"localhost:{port}")
            stats = admin(proxy.admin, "/stats?filter=update_success").text
            assert stats == "cluster.app.update_success: 1\n"
            assert 'hopmesh_cluster_update_attempt_total{cluster="app"} 1' in admin(
                proxy.admin, "/stats/prometheus"
            ).text.splitlines()


def test_it_is_ready_after_a_first_failure_and_says_so(folder: Path) -> None:
    """One line when a name fails, one when it is back; not one for each look-up."""
    with DnsServer() as server:
        server.fail("app.example")
        server.fail("app.example", "AAAA")
        config = dns_config(
            "app.example:80",
            dns_resolvers=[server.address],
            dns_failure_refresh_ms=10,
            dns_failure_max_refresh_ms=20,
        )
        with running(folder, config) as proxy:
            event = proxy.wait_for("name not resolved", cluster="app", host="app.example")
            assert "SERVFAIL" in event["reason"]
            server.wait_for_queries(20, "app.example")
            server.set("app.example", ["192.0.2.1"])
            proxy.wait_for("name resolved again", cluster="app")
            assert len(proxy.events("name not resolved")) == 1


def test_a_stop_does_not_wait_for_dns(folder: Path) -> None:
    """It is heard while the proxy waits for its first answers, and nothing is ready before."""
    with DnsServer() as server:
        server.silent = True
        configured = dns_config("app.example:80", dns_resolvers=[server.address], dns_query_timeout_ms=60_000)
        with ProxyProcess(write_config(folder / "proxy.yaml", configured)) as proxy:
            server.wait_for_queries(1, "app.example")
            assert not proxy.events("ready")
            assert proxy.stop() == 0
            assert "Traceback" not in proxy.log, proxy.log
