"""The proxies under test, one small adapter each; this is the list of them."""

from benchmarks.peers.base import ACCESS_LOG, Hop, Launch, Mode, Peer, Plan
from benchmarks.peers.direct import Direct
from benchmarks.peers.envoy import Envoy
from benchmarks.peers.floor import Floor
from benchmarks.peers.haproxy import HAProxy
from benchmarks.peers.hopmesh import Hopmesh
from benchmarks.peers.nginx import Nginx

PEERS: dict[str, Peer] = {
    peer.name: peer for peer in (Hopmesh(), Direct(), Floor(), HAProxy(), Nginx(), Envoy())
}

__all__ = ["ACCESS_LOG", "PEERS", "Hop", "Launch", "Mode", "Peer", "Plan"]
