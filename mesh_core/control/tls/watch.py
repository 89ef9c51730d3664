"""Notices files that have changed, without being told, and certificates that expire. Control thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import structlog
from cryptography import x509

from mesh_core.control.tls import expiry
from mesh_core.control.tls.contexts import Prepared
from mesh_core.control.tls.files import Signature, signature_of

DATES_INTERVAL_S = 60.0

log = structlog.get_logger("hopmesh.tls")


class TlsWatch:
    """Looks at the files of the contexts in use every few seconds; without any, it does nothing at all.

    A change is taken once it has lasted from one look to the next: a certificate and its key are written one after
    the other.
    """

    INTERVAL_S = 2.0

    def __init__(self, changed: Callable[[], None]) -> None:
        """`changed` is called when files have other content than what was watched."""
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self._watched = Prepared((), {})
        self._known: dict[str, Signature | None] = {}
        self._seen: dict[str, Signature | None] | None = None
        self._next_dates = 0.0
        self._told: dict[x509.Certificate, str | None] = {}

    def watch(self, prepared: Prepared, loop: asyncio.AbstractEventLoop) -> None:
        """Look at these from now on."""
        self._watched = prepared
        self._known = dict(prepared.signatures)
        self._seen = None
        self._next_dates = 0.0
        self.close()
        if self._known:
            self._look_at_dates(loop.time())
            self._timer = loop.call_later(self.INTERVAL_S, self._look, loop)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self.INTERVAL_S, self._look, loop)
        self._look_at_dates(loop.time())
        current = {path: _signature(path) for path in self._known}
        if current == self._known:
            self._seen = None
        elif current != self._seen:
            self._seen = current
        else:
            # What is wrong with them is said once, not at every look.
            self._known = current
            self._changed()

    def _look_at_dates(self, time: float) -> None:
        if time < self._next_dates:
            return
        self._next_dates = time + DATES_INTERVAL_S
        at, told = expiry.now(), self._told
        self._told = {}
        for user, file in expiry.files_of(self._watched.users):
            for each in file.certificates:
                complaint = expiry.complaint(each, at)
                if complaint is not None and complaint != told.get(each, self._told.get(each)):
                    subject, end = each.subject.rfc4514_string(), each.not_valid_after_utc.isoformat()
                    log.warning(complaint, path=file.path, subject=subject, expires=end, **{user.kind: user.name})
                self._told[each] = complaint


def _signature(path: str) -> Signature | None:
    try:
        return signature_of(os.stat(path))  # noqa: PTH116
    except OSError:
        return None
