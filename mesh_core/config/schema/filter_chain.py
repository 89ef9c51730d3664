"""Filter chains: which of a listener's connections go where."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Name
from mesh_core.config.schema.endpoint import Labels
from mesh_core.config.schema.http import HttpSettings
from mesh_core.config.schema.listener_tls import ListenerTls
from mesh_core.config.schema.route import Route
from mesh_core.config.schema.tls import Protocol, ServerName
from mesh_core.config.schema.virtual_host import VirtualHost

Port = Annotated[int, Meta(ge=1, le=65535)]


class FilterChainMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a connection must be like. All that is given must fit; of each list, one member.

    Where several chains fit, the fields are asked in the order below, and each keeps only the chains that name what
    the connection has most exactly, or else those that name nothing there: the order and the rules are Envoy's.
    """

    destination_ports: Annotated[
        tuple[Port, ...],
        Meta(
            description=(
                "Ports that the connection was made to: the listener's own, or what the PROXY protocol header says. "
                "Default: any."
            ),
            examples=[[443]],
        ),
    ] = ()
    destination_addresses: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "Networks (10.0.0.0/8, 2001:db8::/32) or IP addresses that the connection was made to; the longest "
                "prefix that fits counts. Default: any."
            ),
            examples=[["10.0.0.0/8"]],
        ),
    ] = ()
    server_names: Annotated[
        tuple[ServerName, ...],
        Meta(
            description=(
                "Names that the client asks for in its TLS ClientHello (SNI): host names, or *. and a host name for "
                "all names below it. An exact name goes first, then the longest. Default: any, or none."
            ),
            examples=[["shop.example", "*.shop.example"]],
        ),
    ] = ()
    transport_protocol: Annotated[
        Literal["tls", "raw_buffer"] | None,
        Meta(
            description=(
                "Whether the connection begins with a TLS ClientHello (tls) or otherwise (raw_buffer). Default: "
                "either."
            ),
        ),
    ] = None
    application_protocols: Annotated[
        tuple[Protocol, ...],
        Meta(
            description=(
                "Protocols that the client offers in its ClientHello (ALPN); where it offers several that chains name, "
                "the client's first counts. Default: any, or none."
            ),
            examples=[["h2", "http/1.1"]],
        ),
    ] = ()
    source_addresses: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "Networks or IP addresses that the connection comes from, with PROXY protocol what the header says; "
                "the longest prefix that fits counts. Default: any."
            ),
            examples=[["192.168.0.0/16"]],
        ),
    ] = ()


def chain_name(listener: str, index: int) -> str:
    """Return what tells and tables call chain number `index` of a listener; no listener can have such a name."""
    return f"{listener} filter_chains[{index}]"


class FilterChain(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a listener's connections, and what is done with them."""

    match: Annotated[
        FilterChainMatch,
        Meta(description="Which connections. No two chains of a listener may fit equally well."),
    ]
    protocol: Annotated[
        Literal["tcp", "http"],
        Meta(description="What is spoken on them, as of listeners, whatever the listener's own is. Default: tcp."),
    ] = "tcp"
    http: Annotated[
        HttpSettings | None,
        Meta(description="Bounds and habits of protocol: http. Default: those of each field."),
    ] = None
    cluster: Annotated[
        Name | None,
        Meta(
            description=(
                "The name of the cluster that they, or their requests, go to. Exactly one of cluster, routes and "
                "virtual_hosts. Default: none."
            ),
            examples=["app"],
        ),
    ] = None
    routes: Annotated[
        tuple[Route, ...] | None,
        Meta(
            description=(
                "With protocol http: what is done with their requests, whatever host they ask for, as of listeners. "
                "Default: none."
            ),
        ),
    ] = None
    virtual_hosts: Annotated[
        tuple[VirtualHost, ...] | None,
        Meta(
            description=(
                "With protocol http: what is done with their requests, by the host that they ask for, as of "
                "listeners. Default: none."
            ),
        ),
    ] = None
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "Labels of the endpoints that they go to, out of the cluster's `subsets`. Default: none, as of "
                "listeners."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    tls: Annotated[
        ListenerTls | None,
        Meta(
            description=(
                "How TLS is terminated for them. Default: it is not; bytes are passed through as they come, even where "
                "the listener itself has tls, which is for connections that no chain fits."
            )
        ),
    ] = None
