"""`gaocache rm` and `gaocache flush`: removing a key, or all keys of a group, everywhere."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer

from cache_core.client.client import Client
from cache_core.cluster.watchers import SILENCE_SECONDS
from gateway.cli.failure import EXIT_UNREACHED, Failure
from gateway.cli.options.nodes import NodeOption, PeersOption, ask, choose_nodes
from gateway.cli.options.shared import TimeoutOption, check_text
from gateway.cli.output import write

DEFAULT_TIMEOUT: Final = 5.0

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help='Print who was not reached, as {"unreached": ["HOST:PORT"]}.'),
]


def rm(
    context: typer.Context,
    group: GroupArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key, as it is: not encoded.")],
    node: NodeOption = None,
    peers: PeersOption = None,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    json_: JsonOption = False,
) -> None:
    """Remove a key from every node: no get returns any more what was loaded before.

    The source is not touched: the next get asks it. Exits with 1 where not all were reached,
    with 3 where nothing was removed.

    Examples:
      gaocache rm scores Tom

      gaocache rm scores Tom --peers dns://nodes.internal:8080

    """
    check_text("GROUP", group)
    check_text("KEY", key)
    nodes = choose_nodes(context, node, peers)
    _remove(nodes, lambda client: client.remove(group, key), timeout=timeout, as_json=json_)


def flush(
    context: typer.Context,
    group: GroupArgument,
    node: NodeOption = None,
    peers: PeersOption = None,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    json_: JsonOption = False,
) -> None:
    """Remove all keys of a group from every node, as `gaocache rm` does one, without asking first.

    The source has to answer for all of them again. Exits with 1 where not all were reached, with
    3 where nothing was removed.

    Example:
      gaocache flush scores

    """
    check_text("GROUP", group)
    nodes = choose_nodes(context, node, peers)
    _remove(nodes, lambda client: client.flush(group), timeout=timeout, as_json=json_)


def _remove(
    nodes: str,
    removal: Callable[[Client], Awaitable[tuple[str, ...]]],
    *,
    timeout: float,
    as_json: bool,
) -> None:
    """Call `removal` with a client of `nodes`. Raises Failure, also where not all were reached.

    With `as_json`, the names of those not reached are printed as JSON.
    """
    unreached = asyncio.run(ask(nodes, removal, timeout=timeout))
    if as_json:
        write(json.dumps({"unreached": unreached}).encode() + b"\n")
    if unreached:
        raise Failure("\n".join(map(_words, unreached)), exit_status=EXIT_UNREACHED)


def _words(unreached: str) -> str:
    """Return what it means that a node, a watcher or a group's tier was not reached."""
    if unreached.startswith("watcher "):
        seconds = f"{SILENCE_SECONDS:g} seconds"
        return f"{unreached} has not confirmed: its copies end within {seconds}"
    if unreached.startswith("the tier of "):
        return f"{unreached} was not reached: it is told when it answers again"
    return (
        f"node {unreached} was not reached: its copies end within the group's hot_ttl, and it is "
        "told when it answers again"
    )
