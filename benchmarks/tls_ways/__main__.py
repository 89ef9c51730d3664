"""Prints the table that docs/decisions/013-tls-in-workers.md quotes: medians of CPU time over interleaved rounds."""

import argparse
import ctypes
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.bindings._rust import _openssl

from benchmarks.certificates import Credentials, issue
from benchmarks.errors import BenchmarkError
from benchmarks.paths import BUILD, SOURCES

# The order is that of `struct library` in ways.c.
FUNCTIONS = (
    *("SSL_new", "SSL_free", "SSL_set_fd", "SSL_set_bio", "SSL_set_accept_state", "SSL_set_connect_state"),
    *("SSL_do_handshake", "SSL_read", "SSL_write"),
    *("BIO_new", "BIO_s_mem", "BIO_new_mem_buf", "BIO_read", "BIO_write"),
)
WAYS = ("descriptor", "copied", "borrowed")
SIZES = {"200 bytes": (200, 3000), "16 KiB": (16384, 1000), "64 KiB": (65536, 400)}
HANDSHAKES = 60
_PEM, _VERIFY_PEER_AND_REQUIRE, _SET_GROUPS = 1, 3, 92


class Library:
    """One build of OpenSSL: its functions for ways.c, and a context that serves both ends."""

    def __init__(self, name: str, address: Callable[[str], int], credentials: Credentials) -> None:
        self.name = name
        self._address = address
        self.table = (ctypes.c_void_p * len(FUNCTIONS))(*[address(each) for each in FUNCTIONS])
        self.context = self._new_context(credentials)

    def _new_context(self, credentials: Credentials) -> ctypes.c_void_p:
        """P-256 certificates on both sides, X25519, AES-128-GCM."""
        context = ctypes.c_void_p(self._call("SSL_CTX_new", ctypes.c_void_p(self._call("TLS_method"))))
        steps: dict[str, tuple[Any, ...]] = {
            "SSL_CTX_use_certificate_chain_file": (bytes(credentials.certificate),),
            "SSL_CTX_use_PrivateKey_file": (bytes(credentials.key), _PEM),
            "SSL_CTX_load_verify_locations": (bytes(credentials.authority), None),
            "SSL_CTX_set_ciphersuites": (b"TLS_AES_128_GCM_SHA256",),
        }
        for function, arguments in steps.items():
            if self._call(function, context, *arguments) != 1:
                raise BenchmarkError(f"{function} of {self.name} failed")
        self._call("SSL_CTX_set_verify", context, _VERIFY_PEER_AND_REQUIRE, None)
        self._set_groups(context)
        return context

    def _set_groups(self, context: ctypes.c_void_p) -> None:
        self._call("SSL_CTX_set1_curves_list", context, b"X25519")

    def _call(self, function: str, *arguments: Any) -> Any:
        prototype = ctypes.CFUNCTYPE(ctypes.c_void_p, *[_type_of(each) for each in arguments])
        return prototype(self._address(function))(*arguments)


class SystemLibrary(Library):
    """The libssl of the system, in which the groups are set by SSL_CTX_ctrl."""

    def _set_groups(self, context: ctypes.c_void_p) -> None:
        self._call("SSL_CTX_ctrl", context, _SET_GROUPS, 0, b"X25519")


def _type_of(argument: Any) -> Any:
    return {int: ctypes.c_long, bytes: ctypes.c_char_p}.get(type(argument), ctypes.c_void_p)


def _libraries(credentials: Credentials) -> list[Library]:
    def of_wheel(name: str) -> int:
        return int(_openssl.ffi.cast("uintptr_t", _openssl.ffi.addressof(_openssl.lib, name)))

    def of_system(name: str) -> int:
        for library in (ssl, crypto):
            if hasattr(library, name):
                return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
        raise BenchmarkError(f"the system's libssl has no {name}")

    found = [Library("cryptography's", of_wheel, credentials)]
    try:
        ssl, crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
    except OSError:
        return found
    return [*found, SystemLibrary("the system's", of_system, credentials)]


def _ways() -> ctypes.CDLL:
    source, binary = SOURCES / "tls_ways" / "ways.c", BUILD / "ways.so"
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-shared", "-fPIC", "-o", binary, source], check=True)
    ways = ctypes.CDLL(str(binary))
    ways.way_cost.restype = ways.handshake_cost.restype = ctypes.c_double
    return ways


def main() -> None:
    """Measure every way with every library, in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    ways = _ways()
    costs: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        libraries = _libraries(issue(Path(folder)))
        for _ in range(rounds):
            for each in libraries:
                for label, (size, times) in SIZES.items():
                    for index, way in enumerate(WAYS):
                        cost = ways.way_cost(each.table, each.context, each.context, index, size, times)
                        costs.setdefault((label, f"{each.name}, {way}"), []).append(cost)
                cost = ways.handshake_cost(each.table, each.context, each.context, HANDSHAKES)
                costs.setdefault(("full handshake", f"{each.name}, descriptor"), []).append(cost)
    if any(cost < 0 for measured in costs.values() for cost in measured):
        raise BenchmarkError("a session failed")
    print("| what | library, way | CPU µs, both ends: median (least to most) |\n|---|---|---|")
    for (label, way), measured in sorted(costs.items()):
        print(f"| {label} | {way} | {statistics.median(measured):.1f} ({min(measured):.1f}-{max(measured):.1f}) |")


if __name__ == "__main__":
    main()
