"""`gaocache up`: nodes and the gateway, each a process of its own."""

import asyncio
import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
import uvloop

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.config import ConfigError, Settings, load
from cache_core.node import DEFAULT_GRACE
from gateway.cli.children import Child
from gateway.cli.failure import Failure
from gateway.cli.gateway import DEFAULT_LISTEN
from gateway.cli.node import demo_config
from gateway.cli.options import (
    DATA_DIR,
    ConfigOption,
    DataDirOption,
    GraceOption,
    LogLevel,
    LogLevelOption,
    parse_address,
)
from gateway.cli.stopping import stop_event

MAX_PORT = 65535


def up(
    nodes: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="How many nodes, on ports counted up from --node-listen's."
        ),
    ] = 1,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the gateway serves HTTP.")
    ] = DEFAULT_LISTEN,
    node_listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the first node serves gRPC.")
    ] = DEFAULT_ADDRESS,
    config: ConfigOption = None,
    data_dir: DataDirOption = DATA_DIR,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
) -> None:
    """Start nodes and the gateway, say where they are, and stop all on Ctrl-C.

    Examples:
      gaocache up

      gaocache up --config gaocache.toml --listen 127.0.0.1:9000

    """
    gateway_address = parse_address("--listen", listen)
    first = parse_address("--node-listen", node_listen)
    addresses = node_addresses(first, nodes)
    file = config or demo_config(data_dir)
    try:
        settings = load(file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    shared = ["--grace", str(grace), "--log-level", log_level.value]
    uvloop.run(
        _run(
            [
                ["node", "--listen", str(address), "--config", str(file), *shared]
                for address in addresses
            ],
            ["gateway", "--listen", str(gateway_address), *shared],
            file=file,
            settings=settings,
            grace=grace,
        )
    )


def node_addresses(first: Address, count: int) -> list[Address]:
    """Return `count` addresses with ports counted up from the first's; port 0 stays 0."""
    if first.port == 0:
        return [first] * count
    if first.port + count - 1 > MAX_PORT:
        raise typer.BadParameter(f"{count} nodes from port {first.port} on go past {MAX_PORT}")
    return [first._replace(port=first.port + number) for number in range(count)]


async def _run(
    nodes: Sequence[Sequence[str]],
    gateway: Sequence[str],
    *,
    file: Path,
    settings: Settings,
    grace: float,
) -> None:
    stop = asyncio.create_task(stop_event().wait())
    async with contextlib.AsyncExitStack() as children:

        async def start(name: str, arguments: Sequence[str]) -> Child:
            child = await Child.start(name, arguments)
            children.push_async_callback(child.stop, grace=grace)
            return child

        async def start_all() -> tuple[list[Child], Child]:
            started = [await start("node", arguments) for arguments in nodes]
            return started, await start("gateway", [*gateway, "--node", started[0].address])

        starting = asyncio.create_task(start_all())
        await asyncio.wait({starting, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return
        started, front = starting.result()
        _welcome(started, front, file, settings)
        ends = {asyncio.create_task(child.wait()): child for child in (*started, front)}
        done, _ = await asyncio.wait({stop, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if stop in done:
            print("Stopping.", flush=True)
        for ended, child in ends.items():
            if ended in done:
                raise Failure(f"{child.name} {child.address} {child.ending}, so all was stopped")


def _welcome(nodes: Sequence[Child], gateway: Child, file: Path, settings: Settings) -> None:
    group = next(iter(settings.groups))
    key = "Tom" if group == "scores" else "KEY"
    typer.secho("GaoCache is up.", fg="green", bold=True, nl=False)
    print(" Ctrl-C stops it.\n")
    print(f"  gateway  http://{gateway.address}")
    for child in nodes:
        idle = "" if child is nodes[0] else "  (on its own: the gateway asks the first)"
        print(f"  node     {child.address}{idle}")
    print(f"  groups   {', '.join(settings.groups)}  from {file}")
    print("\nTry:\n")
    for line in examples(gateway.address, nodes[0].address, group, key):
        print(f"  {line}")
    sys.stdout.flush()


def examples(gateway: str, node: str, group: str, key: str) -> tuple[str, str, str]:
    """Return three lines to try, of which a shell runs the first two as they stand."""
    url = f"http://{gateway}/groups/{quote(group, safe='')}/keys/{quote(key, safe='')}"
    asked = [group, key, "--node", node]
    if group.startswith("-"):  # it would pass for an option
        asked = ["--node", node, "--", group, key]
    return (
        shlex.join(["curl", "-s", url]),
        shlex.join(["gaocache", "get", *asked]),
        f"http://{gateway}/docs",
    )
