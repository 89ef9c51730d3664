"""Networks as the configuration writes them: 10.0.0.0/8, 2001:db8::/32, or one address."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


class NetworkError(ValueError):
    """Text that is no network; `message` says why, `hint` what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_network(text: str) -> Network:
    """Return what `text` names. Raises NetworkError.

    IPv4 within IPv6 (::ffff:0:0/96) is refused: connections of IPv4 are compared as such.
    """
    form = "write an IP address, or one with the length of a prefix (10.0.0.0/8, 2001:db8::/32)"
    address, slash, length = text.partition("/")
    # ipaddress would take a netmask, digits of other scripts and a zone as well.
    if (slash and not (length.isascii() and length.isdigit())) or "%" in text:
        raise NetworkError("not a network", form)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise NetworkError("not a network", form) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None and network.prefixlen >= 96:
        raise NetworkError("IPv4 written as IPv6", f"write {_as_ipv4(network)}")
    if ip_network(address).network_address != network.network_address:
        raise NetworkError(f"bits are set behind the first {network.prefixlen}", f"write {network}")
    return network


def _as_ipv4(network: IPv6Network) -> IPv4Network:
    mapped = network.network_address.ipv4_mapped
    assert mapped is not None
    return IPv4Network((mapped, network.prefixlen - 96))
