"""What a context has allocated goes with it, also when the garbage collector finds what kept it."""

from __future__ import annotations

import gc

from OpenSSL import SSL

from mesh_core.runtime.memory import live_allocations
from mesh_core.tls.context import TlsContext


class _Cycle:
    pass


def test_kept_by_a_cycle() -> None:
    gc.collect()
    before = live_allocations()
    for _ in range(3):
        # The collector empties what is oldest first.
        tls = TlsContext(
            SSL.Context(SSL.TLS_SERVER_METHOD), server=True, verify_peer=False, require_peer_certificate=False
        )
        younger = _Cycle()
        younger.own, younger.tls = younger, tls
        assert live_allocations() > before
        del tls, younger
        gc.collect()
    assert live_allocations() == before
