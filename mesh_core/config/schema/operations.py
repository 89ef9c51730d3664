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


LineFormat = Annotated[
    str,
    Meta(min_length=1, max_length=4096, extra={"form": "a format of 1 to 4096 characters"}),
]

LineFields = dict[Annotated[str, Meta(min_length=1, max_length=128)], LineFormat]


class AccessLog(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line for every request and, of listeners that speak no HTTP, every connection that has ended."""

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
        Literal["json", "text"],
        Meta(
            description=(
                "How a record is written: json, an object a line, or text. Default: json (Envoy: text), with the "
                "keys of Istio's JSON."
            )
        ),
    ] = "json"
    json_format: Annotated[
        LineFields | None,
        Meta(
            description=(
                "The keys of the object and, for each, the value with Envoy's operators; a value that is one "
                "operator alone becomes a number or null where it is one. Default: none, which is Istio's keys."
            ),
            examples=[{"path": "%REQ(:PATH)%", "code": "%RESPONSE_CODE%"}],
        ),
    ] = None
    text_format: Annotated[
        LineFormat | None,
        Meta(
            description=(
                "The line, with Envoy's operators. A line's end is added where there is none. Default: none, which "
                "is Envoy's default format string."
            ),
            examples=["%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %DURATION%"],
        ),
    ] = None


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
