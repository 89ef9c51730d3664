"""The settings of a control plane: its types, their defaults, and the file that they are read from."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config import AddressError, parse_address
from mesh_core.config.faults import Report
from mesh_core.config.load import load_file_of
from mesh_core.config.schema.common import FilePath
from mesh_cp.paths import channel_address_beside, default_api_address, default_data_dir


class Api(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where operators are answered."""

    address: Annotated[
        str | None,
        Meta(
            description=(
                "Where the API listens: unix:/path, or an IP address and a port. It asks for no password. Default: "
                "unix:/run/hopmesh/control-plane.sock for root, else control-plane.sock in the hopmesh folder of "
                "$XDG_RUNTIME_DIR or of /tmp with the user's id; the commands look there too."
            ),
            examples=["unix:/run/hopmesh/control-plane.sock"],
        ),
    ] = None
    socket_mode: Annotated[
        str,
        Meta(
            pattern=r"^0?[0-7]{3}$",
            description=(
                "The permissions of the socket's file, in octal. Whoever may write to it may change the mesh. Default: "
                "0600, the owner alone."
            ),
            examples=["0660"],
            extra={"form": "permissions in octal, in quotes"},
        ),
    ] = "0600"
    allow_remote: Annotated[
        bool,
        Meta(
            description=(
                "Listen also on an address that other machines reach: anybody there may then change the mesh. Default: "
                "false, such an address is refused."
            ),
        ),
    ] = False


class Channel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where proxies are answered."""

    address: Annotated[
        str | None,
        Meta(
            description=(
                "Where proxies connect: unix:/path, or an IP address and a port. It asks for no password. Default: "
                "channel.sock beside the API's socket; where the API listens on TCP, beside its default."
            ),
            examples=["unix:/run/hopmesh/channel.sock"],
        ),
    ] = None
    socket_mode: Annotated[
        str,
        Meta(
            pattern=r"^0?[0-7]{3}$",
            description=(
                "The permissions of the socket's file, in octal. Whoever may write to it may be any workload of the "
                "mesh. Default: 0600, the owner alone."
            ),
            examples=["0660"],
            extra={"form": "permissions in octal, in quotes"},
        ),
    ] = "0600"
    allow_remote: Annotated[
        bool,
        Meta(
            description=(
                "Listen also on an address that other machines reach: anybody there may then be any workload of the "
                "mesh. Default: false, such an address is refused."
            ),
        ),
    ] = False


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one control plane runs by."""

    api: Annotated[Api, Meta(description="Where operators are answered. Default: the defaults of its fields.")] = Api()
    channel: Annotated[
        Channel, Meta(description="Where proxies are answered. Default: the defaults of its fields.")
    ] = Channel()
    data_dir: Annotated[
        FilePath | None,
        Meta(
            description=(
                "The folder of the store, on a local disk; one control plane at a time uses it. Default: "
                "/var/lib/hopmesh for root, else hopmesh in $XDG_DATA_HOME or ~/.local/share."
            ),
            examples=["/var/lib/hopmesh"],
        ),
    ] = None
    revisions_kept: Annotated[
        int,
        Meta(
            ge=100,
            le=10_000_000,
            description=(
                "Revisions of the store that a watch can resume from. Default: 10000, our choice (etcd keeps all until "
                "it is told; Kubernetes has it forget after 5 minutes)."
            ),
        ),
    ] = 10_000

    @property
    def api_address(self) -> str:
        """Where the API listens."""
        return self.api.address or default_api_address()

    @property
    def channel_address(self) -> str:
        """Where proxies connect."""
        return self.channel.address or channel_address_beside(self.api_address)

    @property
    def data_path(self) -> Path:
        """Where the store is."""
        return Path(self.data_dir) if self.data_dir else default_data_dir()


def load_settings(path: str | os.PathLike[str]) -> Settings:
    """The settings in a YAML file. Raises ConfigError."""
    return load_file_of(path, Settings, check_settings)


def check_settings(settings: Settings, report: Report) -> None:
    """Report what the types do not refuse."""
    if isinstance(settings.api, Api):
        _check_address("api", settings.api.address, settings.api.allow_remote, report)
    if isinstance(settings.channel, Channel):
        _check_address("channel", settings.channel.address, settings.channel.allow_remote, report)


def _check_address(section: str, text: object, allow_remote: bool, report: Report) -> None:
    if not isinstance(text, str):
        return
    try:
        address = parse_address(text)
    except AddressError as error:
        report([section, "address"], str(error), error.hint)
        return
    if address.family == socket.AF_UNIX or allow_remote:
        return
    if not ipaddress.ip_address(address.host).is_loopback:
        message = f"{address} can be reached from other machines, and the {_NAMES[section]} asks for no password"
        report([section, "address"], message, "listen on 127.0.0.1 or unix:/path, or set allow_remote: true")


_NAMES = {"api": "API", "channel": "control channel"}
