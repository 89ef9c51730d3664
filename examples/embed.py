"""A program with a proxy inside: `python examples/embed.py [--mounting inline] [--loop asyncio]`.

Starts two echo servers and a proxy in front of the first, talks through it, changes its configuration so that it
leads to the second one, talks again, and prints what the proxy has counted. docs/embedding.md explains each step.
"""

from __future__ import annotations

import argparse
import asyncio

import uvloop

from mesh_core import Cluster, Config, ConfigError, Listener, Mounting, Proxy


async def echo_server(greeting: str) -> tuple[asyncio.Server, str]:
    """A server that answers each line with a greeting and the line; and its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(f"{greeting}: ".encode() + line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    return server, f"{host}:{port}"


async def talk(address: str, line: str) -> str:
    """Send a line in a connection of its own, and return the answer."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(line.encode() + b"\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.decode().rstrip()


def configuration(endpoint: str) -> Config:
    """One listener on a free port, and the cluster behind it."""
    return Config(
        workers=1,
        listeners=(Listener(name="in", address="127.0.0.1:0", cluster="app"),),
        clusters=(Cluster(name="app", endpoints=(endpoint,)),),
    )


async def run(mounting: Mounting) -> None:
    """The program itself, in a loop that could have more to do."""
    first, first_address = await echo_server("first")
    second, second_address = await echo_server("second")
    async with first, second:
        async with Proxy(configuration(first_address), mounting=mounting) as proxy:
            # The port that was taken for port 0; it stays the same when the configuration changes.
            address = proxy.listener_addresses["in"]
            print(await talk(address, "hello"))

            await proxy.apply(configuration(second_address))
            print(await talk(address, "hello again"))

            try:
                await proxy.apply(configuration("app.example:9001:9002"))
            except ConfigError as error:
                print(f"refused: {error.faults[0].path}; the proxy goes on as before")
            print(await talk(address, "still there"))
        # The block has ended without an exception: connections had time to end, and what was counted can be read.
        stats = proxy.stats()
        for name in ("listener.in.downstream_cx_total", "cluster.app.upstream_cx_total"):
            print(f"{name}: {stats[name]}")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mounting", choices=["threaded", "inline"], default="threaded")
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    arguments = parser.parse_args()
    if arguments.loop == "uvloop":
        uvloop.run(run(arguments.mounting))
    else:
        asyncio.run(run(arguments.mounting))


if __name__ == "__main__":
    main()
