"""nginx as the server of files: conditional requests, ranges, uploads, compression by its own choice."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process_programs import nginx
from tests.support.real_http.clients import Answer, Request, ask, connection, curl
from tests.support.real_http.content import pattern

CONTENT = pattern(100_000)
# What a distribution builds into the least of its packages.
MORE = """
    gzip on;
    gzip_types text/plain;
    gzip_min_length 1000;
    location /put/ { dav_methods PUT DELETE; client_max_body_size 20m; }
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """nginx listens on a Unix socket, whose path must be short."""
    path = Path(tempfile.mkdtemp(prefix="hopmesh-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def get(folder: Path, through: Callable) -> Iterator[Callable[..., Answer]]:
    """`get("/file", Range="bytes=0-1")`: a request to nginx through the proxy, all over one connection."""
    (folder / "www/put").mkdir(parents=True)
    (folder / "www/file.txt").write_bytes(CONTENT)
    with nginx(folder, MORE) as address:
        mesh = through(address)
        with connection(mesh.url) as over:

            def request(target: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return ask(over, Request(method, mesh.url + target, named, body))

            yield request


def test_conditional_requests(get: Callable[..., Answer]) -> None:
    whole = get("/file.txt")
    assert (whole.status, whole.body) == (200, CONTENT)
    (etag,), (date,) = whole.all("etag"), whole.all("last-modified")
    for condition in ({"If_None_Match": etag}, {"If_Modified_Since": date}):
        unchanged = get("/file.txt", **condition)
        assert (unchanged.status, unchanged.body, unchanged.all("etag")) == (304, b"", [etag])
    assert get("/file.txt", If_None_Match='"other"').body == CONTENT
    assert get("/file.txt", If_Match='"other"').status == 412


def test_ranges(get: Callable[..., Answer]) -> None:
    one = get("/file.txt", Range="bytes=1000-1999")
    assert (one.status, one.body) == (206, CONTENT[1000:2000])
    assert one.all("content-range") == [f"bytes 1000-1999/{len(CONTENT)}"]
    assert get("/file.txt", Range="bytes=-5").body == CONTENT[-5:]
    several = get("/file.txt", Range="bytes=0-9,50000-50009")
    assert several.status == 206
    assert several.all("content-type")[0].startswith("multipart/byteranges")
    assert CONTENT[:10] in several.body
    assert CONTENT[50000:50010] in several.body
    beyond = get("/file.txt", Range="bytes=200000-")
    assert (beyond.status, beyond.all("content-range")) == (416, [f"bytes */{len(CONTENT)}"])


def test_a_download_is_resumed(get: Callable[..., Answer], folder: Path, through: Callable) -> None:
    (folder / "got").write_bytes(CONTENT[:30_000])
    url = through(f"unix:{folder}/nginx.sock").url
    curl("-C", "-", "-o", str(folder / "got"), url + "/file.txt")
    assert (folder / "got").read_bytes() == CONTENT


def test_compressed_content_is_untouched(get: Callable[..., Answer]) -> None:
    compressed = get("/file.txt", Accept_Encoding="gzip")
    assert (compressed.all("content-encoding"), compressed.all("transfer-encoding")) == (["gzip"], ["chunked"])
    assert len(compressed.body) < len(CONTENT) / 2
    assert gzip.decompress(compressed.body) == CONTENT
    assert get("/file.txt").body == CONTENT


def test_files_are_put_and_deleted(get: Callable[..., Answer], folder: Path) -> None:
    assert get("/put/new", "PUT", CONTENT).status == 201
    assert (folder / "www/put/new").read_bytes() == CONTENT
    assert get("/put/new").body == CONTENT
    assert get("/put/new", "DELETE").status == 204
    assert get("/put/new").status == 404


def test_nginx_sees_one_connection(get: Callable[..., Answer]) -> None:
    answers = [get("/connection").body.split() for _ in range(20)]
    assert {connection for connection, _ in answers} == {answers[0][0]}
    assert [int(number) for _, number in answers] == list(range(1, 21))
