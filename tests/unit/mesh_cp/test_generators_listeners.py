"""What manifests become in a proxy's listeners and virtual hosts, all checked as a proxy would."""

from __future__ import annotations

from typing import Any

import pytest
from meshes import CART, HOST, assembled, content, manifest, outputs, proxy, service, world

from mesh_cp.generators import Inbound, OutputKey


def test_hosts_that_requests_may_name() -> None:
    made = world(service("cart", {"port": 8080, "name": "http"}, {"port": 9, "name": "tcp"}))
    hosts = content(made, proxy("*", namespace="bank"), "route", f"outbound/{CART}:8080")["virtual_host"]["hosts"]
    assert hosts == [
        f"{name}:{port}" for name in (CART, "cart.shop", "cart.shop.svc") for port in (8080, 80)
    ]
    assert OutputKey("route", f"outbound/{CART}:9") not in outputs(made, proxy("*"))


def test_a_whole_name_goes_before_a_short_one() -> None:
    spec = {"hosts": ["cart.shop"], "ports": [{"number": 80, "name": "http"}], "resolution": "DNS"}
    made = world(service("cart"), manifest("ServiceEntry", "like", spec))
    hosts = content(made, proxy("*"), "route", f"outbound/{HOST}")["virtual_host"]["hosts"]
    assert "cart:80" in hosts and "cart.shop:80" not in hosts


def test_a_virtual_service_alone_makes_a_host() -> None:
    http = [{"route": [{"destination": {"host": "cart"}}]}]
    made = world(service("cart"), manifest("VirtualService", "v", {"hosts": ["api.example"], "http": http}))
    host = content(made, proxy("*"), "route", "outbound/api.example:80")["virtual_host"]
    assert (host["hosts"], host["routes"][0]["cluster"]) == (["api.example:80"], HOST)


def test_unknown_hosts_are_looked_up_or_refused() -> None:
    allowed = outputs(world(), proxy("api.example", "cart"))
    assert allowed[OutputKey("endpoint", "passthrough:api.example:80")].content == ["api.example:80"]
    for made in (outputs(world(), proxy("api.example", unknown="refuse")), allowed):
        unknown = made[OutputKey("route", "outbound/unknown")].content["virtual_host"]
        assert (unknown["hosts"], unknown["routes"][0]["direct_response"]["status"]) == (["*"], 502)
    assert not [key for key in outputs(world(), proxy("api.example", unknown="refuse")) if key.type == "cluster"]


def test_an_inbound_port_is_a_listener_and_the_workload() -> None:
    ports = (
        Inbound(number=8080, listen="0.0.0.0:15006", app="127.0.0.1:8080", protocol="http"),
        Inbound(number=6379, listen="0.0.0.0:15007", app="unix:/run/redis", protocol="tcp"),
    )
    config = assembled(outputs(world(), proxy(inbound=ports, outbound=None)))
    assert [(each.name, each.protocol, each.traffic_direction) for each in config.listeners] == [
        ("inbound:8080", "http", "inbound"), ("inbound:6379", "tcp", "inbound")]  # fmt: skip


@pytest.mark.parametrize(
    ("port", "expected"),
    [({"name": "http"}, "http"), ({"name": "x"}, "tcp"), ({"name": "http", "targetPort": 1}, "tcp")],
)
def test_an_inbound_port_speaks_what_its_service_says(port: dict[str, Any], expected: str) -> None:
    one = Inbound(number=8080, listen="0.0.0.0:15006", app="127.0.0.1:8080", service="cart")
    made = world(service("cart", {"port": 80, "targetPort": 8080, **port}))
    assert assembled(outputs(made, proxy(inbound=(one,), outbound=None))).listeners[0].protocol == expected


def test_names_too_long_are_cut_and_told_apart() -> None:
    hosts = ["a." * 60 + end for end in ("one.example", "two.example")]
    spec = {"hosts": hosts, "ports": [{"number": 80, "name": "http"}], "resolution": "DNS"}
    made = outputs(world(manifest("ServiceEntry", "long", spec)), proxy("*"))
    assert len([key for key in made if key.type == "cluster"]) == 2
