"""One small mesh, whole: what its manifests make of one proxy.

HOPMESH_WRITE_EXPECTED=1 writes golden/shop.json anew: look at what has changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from meshes import outputs, proxy

from mesh_core.config.schema import Locality
from mesh_cp.generators import Dial, Inbound
from mesh_cp.model import Client, build
from mesh_cp.resources import load

GOLDEN = Path(__file__).parent / "golden"

WEB = proxy(
    "cart",
    client=Client(namespace="shop", labels={"app": "web"}),
    locality=Locality(region="eu", zone="a"),
    inbound=(Inbound(number=8000, listen="10.0.0.9:15006", app="127.0.0.1:8000", protocol="http"),),
    dials=(
        Dial(host="cart"),
        Dial(host="cart", port=6379, listen="127.0.0.1:6379"),
        Dial(host="stock"),
        Dial(host="pay.example", listen="127.0.0.1:8443"),
        Dial(host="news.example"),
    ),
)


def test_the_shop() -> None:
    loaded = load((GOLDEN / "shop.yaml").read_bytes(), "shop.yaml")
    world = build(loaded.resources)
    made = outputs(world, WEB)
    lines = [["problem", str(problem)] for problem in world.problems]
    lines += [[f"{key.type} {key.name}", each.content] for key, each in sorted(made.items())]
    text = "[\n" + ",\n".join(map(json.dumps, lines)) + "\n]\n"
    expected = GOLDEN / "shop.json"
    if os.environ.get("HOPMESH_WRITE_EXPECTED"):
        expected.write_text(text)
    assert text == expected.read_text()
    assert [str(fault) for fault in loaded.faults] == [
        "shop.yaml:36:30: warning: VirtualService shop/cart: spec.http[1].match[0].uri.prefix: with a rewrite "
        '"/basket" is compared by segments: not with /basketx'
    ]
