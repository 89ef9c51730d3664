"""What is there for operators: the admin endpoint and the access log."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import FilePath, PositiveInt

RESTART_TIMEOUT_MS = 30_000


class Admin(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The HTTP endpoint for operators: health, statistics, what is configured."""

    address: Annotated[
        str,
        Meta(
            description=(
                "Where the admin endpoint listens, written as a listener's address. It asks for no "
                "password, so keep it on loopback or on a Unix socket. Default: 127.0.0.1:9901, the "
                "port of Envoy's examples."
            ),
            examples=["127.0.0.1:9901"],
        ),
    ] = "127.0.0.1:9901"


class AccessLog(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A record of every connection that has ended."""

    path: Annotated[
        FilePath,
        Meta(
            description=(
                "The file that records are appended to; /dev/stdout and /dev/stderr are those of the "
                "process. A relative path starts at the working directory of the process."
            ),
            examples=["/dev/stdout"],
        ),
    ]
    format: Annotated[
        Literal["json"],
        Meta(
            description="How a record is written: json, an object a line, with Envoy's names. Default: json."
        ),
    ] = "json"


class Restart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hot restart: a new process takes over without a connection being refused or cut."""

    address: Annotated[
        str,
        Meta(
            description=(
                "The Unix socket, with a path, at which `hopmesh restart` asks for a restart. Its file is "
                "for the user of the process alone (0600), and nobody else but root is listened to."
            ),
            examples=["unix:/run/hopmesh/restart.sock"],
        ),
    ]
    timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which the new process must be ready to take over; else it is ended and the "
                "old one goes on. Default: 30000, our choice: a start takes about a second, on a host that "
                "is overloaded a few (Envoy's hot restarter has no limit)."
            ),
            examples=[30000],
        ),
    ] = RESTART_TIMEOUT_MS
