"""redis-cli through the proxy to Redis."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ProxyProcess, one_listener, running
from tests.support.process_programs import program, redis, run_program
from tests.support.process_traffic import connect, receive_exactly


@pytest.fixture
def proxy(folder: Path) -> Iterator[ProxyProcess]:
    with redis(folder) as address, running(folder, one_listener(address)) as proxy:
        yield proxy


def redis_cli(proxy: ProxyProcess, *arguments: str, data: bytes = b"") -> bytes:
    return run_program([program("redis-cli"), "-h", "127.0.0.1", "-p", str(proxy.port()), *arguments], data)


def test_ping(proxy: ProxyProcess) -> None:
    assert redis_cli(proxy, "PING") == b"PONG\n"


def test_a_value_of_ten_megabytes(proxy: ProxyProcess) -> None:
    # Letters only: redis-cli ends a value on a terminal's terms.
    value = random.Random(3).randbytes(5_000_000).hex().encode()
    assert redis_cli(proxy, "-x", "SET", "key", data=value) == b"OK\n"
    assert redis_cli(proxy, "GET", "key") == value + b"\n"


def test_a_pipeline(proxy: ProxyProcess) -> None:
    commands = b"".join(
        b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$5\r\nvalue\r\n" % (len(key), key)
        for key in (b"key:%d" % number for number in range(20_000))
    )
    assert b"errors: 0, replies: 20000" in redis_cli(proxy, "--pipe", data=commands)
    assert redis_cli(proxy, "DBSIZE") == b"20000\n"


def test_what_the_server_pushes_comes_without_being_asked_for(proxy: ProxyProcess) -> None:
    with connect(proxy.address()) as subscriber:
        subscriber.sendall(b"SUBSCRIBE news\r\n")
        greeting = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
        assert receive_exactly(subscriber, len(greeting)) == greeting
        for number in range(3):
            assert redis_cli(proxy, "PUBLISH", "news", f"item{number}") == b"1\n"
            message = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nitem%d\r\n" % number
            assert receive_exactly(subscriber, len(message)) == message
