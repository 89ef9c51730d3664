"""The API, as commands ask it: one request at a time, over a Unix socket or TCP."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from mesh_core.config.address import Address, AddressError, parse_address
from mesh_cp.api.messages import ErrorReply, WatchEvent
from mesh_cp.cli.output import skipped_line
from mesh_cp.paths import default_api_address
from mesh_cp.resources import Key

TIMEOUT_S = 60.0
SERVER_VARIABLE = "HOPMESH_SERVER"

_T = TypeVar("_T")


class ClientError(Exception):
    """Why there is no answer, or not the one that was asked for; `reply` is what the control plane said."""

    def __init__(self, message: str, reply: ErrorReply | None = None) -> None:
        super().__init__(message)
        self.reply = reply


class ApiCommand(click.Command):
    """A command that asks a control plane: it takes `--server`, and ends with `failure_status` when it fails."""

    failure_status = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--server", "-s"],
                metavar="ADDRESS",
                envvar=SERVER_VARIABLE,
                show_envvar=True,
                help="Where the control plane's API is: unix:/path, or an IP address and a port.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Client(ctx.params.pop("server"))
        try:
            return super().invoke(ctx)
        except ClientError as error:
            report(error)
            ctx.exit(self.failure_status)


class Client:
    """A control plane, by the address of its API."""

    def __init__(self, address: str | None) -> None:
        """None: the address that a control plane has by default."""
        self._address_text = address or default_api_address()

    def get(self, path: str, reply: type[_T], **query: str | int | None) -> _T:
        """Ask for something. Raises ClientError."""
        return self._decoded(self._request("GET", _target(path, query), None), reply)

    def post(self, path: str, request: msgspec.Struct, reply: type[_T], wait_ms: int = 0) -> _T:
        """Have something done. Raises ClientError."""
        data = self._request("POST", path, msgspec.json.encode(request), TIMEOUT_S + wait_ms / 1000)
        return self._decoded(data, reply)

    def watch(self, path: str, **query: str | int | None) -> Iterator[tuple[Key, WatchEvent]]:
        """Lines of a stream, as they come, without those that only say that it is alive. Raises ClientError."""
        decoder = msgspec.json.Decoder(WatchEvent)
        with self._answer("GET", _target(path, query), None, TIMEOUT_S) as response:
            for line in response:
                event = decoder.decode(line)
                if event.error is not None:
                    raise ClientError(event.error)
                if event.key is not None:
                    yield event.key, event
        raise ClientError("the control plane has ended the stream")

    def _request(self, method: str, path: str, body: bytes | None, timeout_s: float = TIMEOUT_S) -> bytes:
        with self._answer(method, path, body, timeout_s) as response:
            return response.read()

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | None, timeout_s: float
    ) -> Iterator[http.client.HTTPResponse]:
        try:
            address = parse_address(self._address_text)
        except AddressError as error:
            raise ClientError(f"{error}{f' — {error.hint}' if error.hint else ''}") from error
        connection = _Connection(address, timeout_s)
        try:
            connection.request(method, path, body, {"content-type": "application/json"} if body is not None else {})
            response = connection.getresponse()
            if response.status != 200:
                reply = self._decoded(response.read(), ErrorReply)
                raise ClientError(reply.message, reply)
            yield response
        except TimeoutError as error:
            raise ClientError(f"no answer from {address} within {timeout_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
            hint = f"is it running? Its address is --server or ${SERVER_VARIABLE}"
            raise ClientError(f"no control plane can be asked at {address}: {reason} — {hint}") from error
        finally:
            connection.close()

    def _decoded(self, data: bytes, of: type[_T]) -> _T:
        try:
            return msgspec.json.decode(data, type=of)
        except msgspec.DecodeError as error:
            raise ClientError(f"what answers at {self._address_text} is no control plane: {error}") from error


def _target(path: str, query: Mapping[str, str | int | None]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: Address, timeout_s: float) -> None:
        super().__init__(address.host or "localhost", address.port or 80, timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AddressFamily(self._address.family))
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address.sockaddr())


def report(error: ClientError) -> None:
    """Say what went wrong, every fault of manifests included, on standard error."""
    reply = error.reply
    for skipped in reply.skipped if reply is not None else ():
        click.echo(skipped_line(skipped), err=True)
    for fault in reply.faults if reply is not None else ():
        click.echo(str(fault), err=True)
    if reply is not None and reply.omitted:
        click.echo(f"{reply.omitted} more faults are not listed", err=True)
    click.echo(f"hopmesh: {error}", err=True)


def ended_by_reader(write: Callable[[], None]) -> None:
    """Run what writes for as long as anybody reads: `| head` ends it in peace."""
    try:
        write()
    except BrokenPipeError:
        # The interpreter would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
