"""`gaocache up`: nodes and the gateway, each a process of its own."""

import asyncio
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
import uvloop

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.config import ConfigError, Settings, load
from cache_core.node import DEFAULT_GRACE
from gateway.cli.failure import Failure
from gateway.cli.gateway import DEFAULT_LISTEN
from gateway.cli.listening import free_addresses, on_loopback
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
from gateway.cli.requests import (
    DEFAULT_MAX_TIMEOUT,
    DEFAULT_TIMEOUT,
    CorsOriginOption,
    MaxTimeoutOption,
    RequestTimeoutOption,
    check_origins,
    parse_limits,
)
from gateway.cli.stopping import Stop
from gateway.cli.supervisor import Kept

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
    timeout: RequestTimeoutOption = DEFAULT_TIMEOUT,
    max_timeout: MaxTimeoutOption = DEFAULT_MAX_TIMEOUT,
    cors_origin: CorsOriginOption = None,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
) -> None:
    """Start nodes that share the keys out, and the gateway; stop all on Ctrl-C.

    One that ends meanwhile is started again.

    Examples:
      gaocache up

      gaocache up --nodes 3

      gaocache up --config gaocache.toml --listen 127.0.0.1:9000

    """
    gateway_address = parse_address("--listen", listen)
    parse_limits(timeout, max_timeout)
    origins = cors_origin or []
    check_origins(origins)
    first = parse_address("--node-listen", node_listen)
    addresses = node_addresses(first, nodes)
    file = config or demo_config(data_dir)
    try:
        settings = load(file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    if gateway_address.port == 0:
        (gateway_address,) = free_addresses(gateway_address, 1)
    names = [str(on_loopback(address)) for address in addresses]
    peers = f"static://{','.join(names)}"
    shared = ["--peers", peers, "--grace", str(grace), "--log-level", log_level.value]
    kept: list[Kept] = []
    for name, address in zip(names, addresses, strict=True):
        where = ["--listen", str(address), "--advertise", name, "--config", str(file)]
        kept.append(Kept(f"node {name}", ["node", *where, *shared], kept))
    asked = ["--timeout", str(timeout), "--max-timeout", str(max_timeout)]
    for origin in origins:
        asked += ["--cors-origin", origin]
    where = ["--listen", str(gateway_address)]
    front = Kept(f"gateway {gateway_address}", ["gateway", *where, *asked, *shared])
    uvloop.run(
        _run(kept, front, lambda: _welcome(str(gateway_address), names, file, settings), grace)
    )


def node_addresses(first: Address, count: int) -> list[Address]:
    """Return `count` addresses, with free ports where the first's is 0, else counted up from it.

    Raises Failure and typer.BadParameter.
    """
    if first.port == 0:
        return free_addresses(first, count)
    if first.port + count - 1 > MAX_PORT:
        raise typer.BadParameter(f"{count} nodes from port {first.port} on go past {MAX_PORT}")
    return [first._replace(port=first.port + number) for number in range(count)]


async def _run(
    nodes: Sequence[Kept], gateway: Kept, welcome: Callable[[], None], grace: float
) -> None:
    """Start all, keep them running until a signal, and end all."""
    stop = asyncio.create_task(Stop().told.wait())
    starting = asyncio.create_task(_start(nodes, gateway))
    tasks = [starting]
    try:
        await asyncio.wait({stop, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return
        starting.result()
        welcome()
        tasks += [asyncio.create_task(kept.keep()) for kept in (*nodes, gateway)]
        done, _ = await asyncio.wait({stop, *tasks[1:]}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        print("Stopping.", flush=True)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gateway.stop(grace=grace)
        await asyncio.gather(*(node.stop(grace=grace) for node in nodes))


async def _start(nodes: Sequence[Kept], gateway: Kept) -> None:
    """Return once all serve. Raises Failure where one does not start.

    The first starts alone, so that what is wrong with the config is said once.
    """
    await nodes[0].start()
    try:
        async with asyncio.TaskGroup() as starting:
            for kept in (*nodes[1:], gateway):
                starting.create_task(kept.start())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


def _welcome(gateway: str, nodes: Sequence[str], file: Path, settings: Settings) -> None:
    group = next(iter(settings.groups))
    key = "Tom" if group == "scores" else "KEY"
    typer.secho("GaoCache is up.", fg="green", bold=True, nl=False)
    print(" Ctrl-C stops it.\n")
    print(f"  gateway  http://{gateway}")
    for node in nodes:
        print(f"  node     {node}")
    print(f"  groups   {', '.join(settings.groups)}  from {file}")
    lines = examples(gateway, nodes[0], group, key)
    if len(nodes) > 1:
        print("\nThe nodes share the keys out: whichever you ask, a key's owner has its value.")
        lines = (*lines[:-1], f"gaocache cluster --node {nodes[0]}", lines[-1])
    print("\nTry:\n")
    for line in lines:
        print(f"  {line}")
    sys.stdout.flush()


def examples(gateway: str, node: str, group: str, key: str) -> tuple[str, ...]:
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
