"""The choice of a filter chain: the documented rules by example, and a plain model for everything else."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest
from filter_chain_model import Address, Connection, choose, socket_address

from mesh_core._testing.filter_chains import FilterChains
from mesh_core.config import FilterChainMatch
from mesh_core.config.filter_chain_tree import TooManyEntriesError, filter_chain_tree


def found(chains: FilterChains, connection: Connection) -> int | None:
    destination = socket_address(connection.destination, connection.port)
    index: int = chains.find(destination, socket_address(connection.source, 1), connection.tls)
    return None if index < 0 else index


def connection(
    *, to: str | None = "192.0.2.1", port: int = 443, by: str | None = "198.51.100.7", name: str | None = None,
    alpn: tuple[bytes, ...] = (),
) -> Connection:  # fmt: skip
    tls = (name, alpn) if name is not None else None
    return Connection(ip_address(to) if to else None, port, ip_address(by) if by else None, tls)


def chosen(matches: list[FilterChainMatch], one: Connection) -> int | None:
    """What the table says, which the model must confirm."""
    result = found(FilterChains(matches), one)
    assert choose(matches, one) == (set() if result is None else {result})
    return result


Match = FilterChainMatch
NAMES = [
    Match(server_names=("www.example.com",)), Match(server_names=("*.example.com",)), Match(server_names=("*.com",)),
    Match(),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [
    ("www.example.com", 0), ("a.example.com", 1), ("a.www.example.com", 1), ("b.a.example.com", 1), ("example.com", 2),
    ("x.com", 2), ("com", 3), ("example.org", 3), ("", 3), (None, 3), ("wwwexample.com", 2), ("w.w.w", 3),
])  # fmt: skip
def test_the_most_exact_server_name(name: str | None, expected: int) -> None:
    assert chosen(NAMES, connection(name=name)) == expected


def test_server_names_in_capitals() -> None:
    assert chosen([Match(server_names=("A.Example", "*.B.example"))], connection(name="x.b.example")) == 0


@pytest.mark.parametrize(("address", "expected"), [
    ("10.1.2.3", 0), ("10.1.2.4", 1), ("10.2.0.0", 2), ("11.0.0.0", 4), ("9.255.255.255", 4), ("2001:db8::1", 3),
    ("2001:db9::", 5), ("::ffff:10.1.2.3", 0), ("::ffff:1.1.1.1", 4), (None, 6), ("10.1.255.255", 1),
    ("10.255.255.255", 2), ("255.255.255.255", 4), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 5), ("0.0.0.0", 4),
])  # fmt: skip
def test_the_longest_prefix(address: str | None, expected: int) -> None:
    texts = ["10.1.2.3", "10.1.0.0/16", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::/0"]
    matches = [*(Match(source_addresses=(text,)) for text in texts), Match()]
    assert chosen(matches, connection(by=address)) == expected
    matches = [*(Match(destination_addresses=(text,)) for text in texts), Match()]
    assert chosen(matches, connection(to=address)) == expected


def test_ports() -> None:
    matches = [Match(destination_ports=(80, 8080)), Match(destination_ports=(443,)), Match()]
    for port, expected in ((80, 0), (8080, 0), (443, 1), (1, 2), (65535, 2), (0, 2)):
        assert chosen(matches, connection(port=port)) == expected
    assert chosen(matches, connection(to=None, port=0)) == 2


def test_transport_and_application_protocols() -> None:
    matches = [
        Match(transport_protocol="raw_buffer"), Match(transport_protocol="tls"),
        Match(transport_protocol="tls", application_protocols=("h2", "spdy/3")),
        Match(transport_protocol="tls", application_protocols=("http/1.1",)),
    ]  # fmt: skip
    assert chosen(matches, connection()) == 0
    assert chosen(matches, connection(name="")) == 1
    assert chosen(matches, connection(name="", alpn=(b"x", b"spdy/3"))) == 2
    # The order is the client's.
    assert chosen(matches, connection(name="", alpn=(b"http/1.1", b"h2"))) == 3
    assert chosen(matches, connection(name="", alpn=(b"h2", b"http/1.1"))) == 2
    assert chosen(matches, connection(name="", alpn=(b"h3",))) == 1


def test_no_way_back() -> None:
    """A field that has chosen is not asked again, even when nothing of its choice fits: so does Envoy."""
    matches = [Match(destination_ports=(443,), source_addresses=("10.0.0.0/8",)), Match()]
    assert chosen(matches, connection(by="10.0.0.1")) == 0
    assert chosen(matches, connection(by="11.0.0.1")) is None
    assert chosen(matches, connection(by="11.0.0.1", port=80)) == 1


def test_earlier_fields_count_more() -> None:
    matches = [Match(server_names=("a.example",)), Match(destination_addresses=("192.0.2.0/24",))]
    assert chosen(matches, connection(name="a.example")) == 1
    assert chosen(matches, connection(name="a.example", to="10.0.0.1")) == 0


def test_nothing_fits() -> None:
    assert chosen([Match(server_names=("a.example",))], connection(name="b.example")) is None


def test_what_the_table_needs_to_know() -> None:
    assert FilterChains([Match(), Match(source_addresses=("1.1.1.1",))]).asks == (False, False)
    assert FilterChains([Match(destination_ports=(1,))]).asks == (False, True)
    assert FilterChains([Match(destination_addresses=("1.1.1.1",))]).asks == (False, True)
    for match in (Match(server_names=("a",)), Match(application_protocols=("a",)), Match(transport_protocol="tls")):
        assert FilterChains([match]).asks == (True, False)


def test_ten_thousand_names() -> None:
    matches = [Match(server_names=(f"s{index}.example", f"*.w{index}.example")) for index in range(5000)]
    chains = FilterChains(matches)
    for index in range(0, 5000, 7):
        assert found(chains, connection(name=f"s{index}.example")) == index
        assert found(chains, connection(name=f"a.b.w{index}.example")) == index
    assert found(chains, connection(name="s5000.example")) is None
    assert found(chains, connection(name=".".join(["a"] * 127))) is None


def test_lists_that_do_not_overlap_do_not_multiply() -> None:
    names = tuple(f"n{index}.example" for index in range(300))
    protocols = tuple(f"p{index}" for index in range(300))
    networks = tuple(f"10.{index}.0.0/16" for index in range(256))
    many = Match(
        destination_ports=tuple(range(1, 3001)), server_names=names, application_protocols=protocols,
        destination_addresses=networks, source_addresses=networks,
    )  # fmt: skip
    one = Connection(ip_address("10.9.1.1"), 2999, ip_address("10.255.0.1"), ("n299.example", (b"p0",)))
    assert chosen([many, Match()], one) == 0


def test_matches_that_would_multiply_are_refused() -> None:
    """Every port leaves other chains, and of these every name leaves others again."""
    noise = random.Random(1)
    matches = [
        Match(
            destination_ports=tuple(noise.sample(range(1, 400), 200)),
            server_names=tuple(f"n{index}" for index in noise.sample(range(2000), 1000)),
            source_addresses=(f"10.0.{index}.0/24",),
        )
        for index in range(30)
    ]
    with pytest.raises(TooManyEntriesError):
        filter_chain_tree(matches)


PORTS = [80, 443, 8080]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "::/0"]
ADDRESSES = ["10.1.2.3", "10.1.2.4", "10.1.3.0", "10.9.9.9", "11.1.1.1", "2001:db8::1", "2001:db8::2", "::1", None]
HOSTS = ["a.example", "b.a.example", "*.a.example", "*.example", "example"]
ASKED = ["a.example", "b.a.example", "c.b.a.example", "x.example", "example", "other", ""]
PROTOCOLS = ["h2", "http/1.1", "x"]


def some(noise: random.Random, values: list[str] | list[int]) -> tuple[str | int, ...]:
    return tuple(noise.sample(values, noise.choice([0, 0, 0, 1, 1, 2])))


def random_match(noise: random.Random) -> FilterChainMatch:
    return FilterChainMatch(
        destination_ports=some(noise, PORTS),  # type: ignore[arg-type]
        destination_addresses=some(noise, NETWORKS),  # type: ignore[arg-type]
        server_names=some(noise, HOSTS),  # type: ignore[arg-type]
        transport_protocol=noise.choice([None, None, None, "tls", "raw_buffer"]),  # type: ignore[arg-type]
        application_protocols=some(noise, PROTOCOLS),  # type: ignore[arg-type]
        source_addresses=some(noise, NETWORKS),  # type: ignore[arg-type]
    )


def random_connection(noise: random.Random) -> Connection:
    def address() -> Address:
        text = noise.choice(ADDRESSES)
        return ip_address(text) if text else None

    tls = (noise.choice(ASKED), tuple(noise.sample([b"h2", b"http/1.1", b"x", b"y"], noise.randrange(4))))
    destination = address()
    port = noise.choice([80, 443, 8080, 9]) if destination else 0
    return Connection(destination, port, address(), noise.choice([tls, tls, None]))


@pytest.mark.parametrize("seed", range(60))
def test_against_the_model(seed: int) -> None:
    noise = random.Random(seed)
    matches = [random_match(noise) for _ in range(noise.choice([1, 2, 4, 8, 16]))]
    connections = [random_connection(noise) for _ in range(100)]
    conflicts = {other for _, other in filter_chain_tree(matches).conflicts}
    # Whatever the model cannot decide was reported as a conflict.
    for one in connections:
        left = choose(matches, one)
        assert len(left) < 2 or set(sorted(left)[1:]) <= conflicts
    sound = [match for index, match in enumerate(matches) if index not in conflicts]
    chains = FilterChains(sound)
    assert filter_chain_tree(sound).conflicts == []
    for one in connections:
        index = found(chains, one)
        assert choose(sound, one) == (set() if index is None else {index})
