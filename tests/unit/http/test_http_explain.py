"""The text of x-hopmesh-explain."""

from __future__ import annotations

import errno

import pytest

from mesh_core._testing.explain import explain

A = b"10.0.0.1:80"


@pytest.mark.parametrize(("why", "attempts", "text"), [
    (b"no_endpoint", [], b"no_endpoint"),
    (None, [], b""),
    (b"x", [(A, 503, "", 0)], b"x; tried 10.0.0.1:80 (503)"),
    (None, [(A, 503, "", 0), (b"b", 200, "", 0)], b"tried 10.0.0.1:80 (503), b (200)"),
    (b"x", [(A, 0, "connect_failed", errno.ECONNREFUSED)], b"x; tried 10.0.0.1:80 (connect refused)"),
    (b"x", [(A, 0, "connect_failed", errno.ETIMEDOUT)], b"x; tried 10.0.0.1:80 (connect timed out)"),
    (b"x", [(A, 0, "connect_failed", errno.EHOSTUNREACH)], b"x; tried 10.0.0.1:80 (unreachable)"),
    (b"x", [(A, 0, "connect_failed", errno.EPERM)], b"x; tried 10.0.0.1:80 (connect failed)"),
    (b"x", [(b"unix:/s", 0, "connect_failed", errno.ENOENT)], b"x; tried unix:/s (no such socket)"),
    (b"x", [(A, 0, "connect_timeout", 0)], b"x; tried 10.0.0.1:80 (connect timed out)"),
    (b"x", [(A, 0, "tls_handshake_failed", 0)], b"x; tried 10.0.0.1:80 (TLS handshake failed)"),
    (b"x", [(A, 0, "tls_handshake_timeout", 0)], b"x; tried 10.0.0.1:80 (TLS handshake timed out)"),
    (b"x", [(A, 0, "upstream_closed_before_response", 0)], b"x; tried 10.0.0.1:80 (closed without an answer)"),
    (b"x", [(A, 0, "response_malformed", 0)], b"x; tried 10.0.0.1:80 (answer refused)"),
    (b"x", [(A, 0, "per_try_timeout", 0)], b"x; tried 10.0.0.1:80 (no answer in time)"),
    (b"x", [(A, 0, "request_timeout", 0)], b"x; tried 10.0.0.1:80 (given up)"),
    (b"x", [(b"unix:/a\r\nb: c\x7f\xff", 0, "", 0)], b"x; tried unix:/a??b: c?? (given up)"),
])
def test_texts(why: bytes | None, attempts: list[tuple[bytes, int, str, int]], text: bytes) -> None:
    assert explain(why, attempts) == text


def test_more_attempts_than_are_told() -> None:
    told = b", ".join(b"e%d (503)" % index for index in range(8))
    assert explain(None, [(b"e%d" % index, 503, "", 0) for index in range(9)]) == b"tried " + told + b", and more"


def test_no_more_than_a_bound() -> None:
    text = explain(b"x", [(b"unix:/" + b"y" * 200, 503, "", 0)] * 8)
    assert len(text) == 1024
    assert text.startswith(b"x; tried unix:/yyy")
