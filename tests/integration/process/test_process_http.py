"""curl through the proxy to nginx."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ProxyProcess, one_listener, running
from tests.support.process_programs import nginx, program, run_program

SIZE = 50_000_000


@pytest.fixture
def origin(folder: Path) -> Iterator[str]:
    with nginx(folder) as address:
        yield address


@pytest.fixture
def proxy(folder: Path, origin: str) -> Iterator[ProxyProcess]:
    with running(folder, one_listener(origin)) as proxy:
        yield proxy


def curl(*arguments: str) -> bytes:
    return run_program([program("curl"), "-sS", "--fail", "--max-time", "60", *arguments])


def test_a_large_download_arrives_as_it_is(folder: Path, proxy: ProxyProcess) -> None:
    content = random.Random(1).randbytes(SIZE)
    (folder / "www/large").write_bytes(content)
    curl("-o", str(folder / "got"), f"http://{proxy.address()}/large")
    with (folder / "got").open("rb") as got:
        assert hashlib.file_digest(got, "sha256").digest() == hashlib.sha256(content).digest()


def test_two_downloads_at_once_do_not_mix(folder: Path, proxy: ProxyProcess) -> None:
    for name in ("a", "b"):
        (folder / "www" / name).write_bytes(name.encode() * 5_000_000)
    url = f"http://{proxy.address()}/"
    curl("-Z", "-o", str(folder / "a"), url + "a", "-o", str(folder / "b"), url + "b")
    for name in ("a", "b"):
        assert (folder / name).read_bytes() == name.encode() * 5_000_000


def test_keep_alive_uses_one_connection_for_many_requests(proxy: ProxyProcess) -> None:
    answers = [line.split() for line in curl(f"http://{proxy.address()}/connection?[1-20]").splitlines()]
    assert {connection for connection, _ in answers} == {answers[0][0]}
    assert [int(count) for _, count in answers] == list(range(1, 21))


def test_without_keep_alive_each_request_has_its_connection(proxy: ProxyProcess) -> None:
    url = f"http://{proxy.address()}/connection?[1-5]"
    answers = [line.split() for line in curl("-H", "connection: close", url).splitlines()]
    assert len({connection for connection, _ in answers}) == 5


def test_a_range_is_that_range(folder: Path, proxy: ProxyProcess) -> None:
    content = random.Random(2).randbytes(1_000_000)
    (folder / "www/ranged").write_bytes(content)
    assert curl("-r", "123456-654321", f"http://{proxy.address()}/ranged") == content[123456:654322]


def test_a_head_and_a_missing_page(folder: Path, proxy: ProxyProcess) -> None:
    (folder / "www/page").write_bytes(b"x" * 1000)
    assert b"Content-Length: 1000\r\n" in curl("-I", f"http://{proxy.address()}/page")
    command = [program("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}"]
    assert run_program([*command, f"http://{proxy.address()}/missing"]) == b"404"


def test_an_origin_that_is_gone_ends_the_connection_and_not_the_proxy(folder: Path) -> None:
    with running(folder, one_listener(f"unix:{folder}/nobody.sock")) as proxy:
        command = [program("curl"), "-s", "--max-time", "20", f"http://{proxy.address()}/"]
        assert run_program(command, check=False) == b""
        assert proxy.process.poll() is None
