"""`hopmesh restart`: have a new process take over from a running proxy, without a connection being cut."""

from __future__ import annotations

import json
import socket
import sys

import click

from mesh_core.config import ConfigError, load_file, parse_address
from mesh_core.config.address import AddressError
from mesh_core.control.hot_restart.messages import RESTART_REQUEST

ANSWER_LIMIT_BYTES = 1 << 20


@click.command(epilog="Example: hopmesh restart --config proxy.yaml")
@click.option("--config", "-c", "path", metavar="FILE", help="The configuration of the proxy: its `restart.address`.")
@click.option("--address", "-a", metavar="ADDRESS", help="That address itself, as unix:/path.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True, max=86400),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the outcome.",
)
def restart(path: str | None, address: str | None, timeout_s: float) -> None:
    """Have a new process take over from a running proxy, and wait for the outcome.

    The new process runs what is installed now, by the configuration as it is now; no connection is refused or cut by
    it. If it cannot take over, the running one goes on as before. The exit status is 0 if the new one is in charge, 1
    with the reason if not, 2 for wrong usage.
    """
    if (path is None) == (address is None):
        raise click.UsageError("give either --config or --address")
    try:
        where = address if path is None else _configured(path)
        answer = _ask(where or "", timeout_s)
    except (ConfigError, RestartFailedError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"restarted: process {answer} is in charge")


class RestartFailedError(Exception):
    """Why there was no restart."""


def _configured(path: str) -> str:
    config = load_file(path)
    if config.restart is None:
        raise RestartFailedError(f"{path} has no `restart`: add it and reload the proxy, or send it SIGUSR2")
    return config.restart.address


def _ask(address_text: str, timeout_s: float) -> int:
    """The id of the process that has taken over."""
    try:
        address = parse_address(address_text)
    except AddressError as error:
        raise RestartFailedError(str(error)) from error
    if address.family != socket.AF_UNIX:
        raise RestartFailedError(f"not a Unix socket: {address}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(address.sockaddr())
            connection.sendall(RESTART_REQUEST)
            data = _receive(connection)
        except TimeoutError:
            message = f"no answer within {timeout_s:g} s; the log of the proxy will tell the outcome"
            raise RestartFailedError(message) from None
        except OSError as error:
            raise RestartFailedError(f"no proxy can be asked at {address}: {error.strerror}") from error
    try:
        answer = json.loads(data)
        if not answer["ok"]:
            raise RestartFailedError(f"not restarted: {answer['reason']}")
        return int(answer["pid"])
    except (ValueError, KeyError, TypeError):
        raise RestartFailedError("the proxy ended before it told the outcome; its log may") from None


def _receive(connection: socket.socket) -> bytes:
    data = b""
    while len(data) < ANSWER_LIMIT_BYTES and not data.endswith(b"\n") and (part := connection.recv(65536)):
        data += part
    return data
