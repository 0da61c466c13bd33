"""The nodes that a command asks, and the failure it ends in where they don't answer."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias, TypeVar

import typer

from cache_core.address import DEFAULT_ADDRESS
from cache_core.client.client import Client
from cache_core.errors import CacheError, NotFound, PeerUnavailable
from gateway.cli.failure import EXIT_FAILED, EXIT_NOT_FOUND, Failure
from gateway.cli.options.shared import PEERS_FORMS, PEERS_VARIABLE, check_peers, parse_address

A = TypeVar("A")


NodeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--node", metavar="HOST:PORT", show_default=DEFAULT_ADDRESS, help="Ask this node."
    ),
]
PeersOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--peers",
        metavar="URL",
        envvar=PEERS_VARIABLE,
        help=f"Ask the cluster of these nodes, for each key its owner: {PEERS_FORMS}",
    ),
]


def choose_nodes(context: typer.Context, node: str | None, peers: str | None) -> str:
    """Return the nodes to ask, as a Client takes them.

    Raises typer.BadParameter.
    """
    exclude_each_other(context, "node", "peers")
    if node is not None:  # it goes before the environment's peers
        return str(parse_address("--node", node))
    if peers is None:
        return DEFAULT_ADDRESS
    check_peers(peers)
    return peers


def exclude_each_other(context: typer.Context, *options: str) -> None:
    """Raise typer.BadParameter where more than one of `options` is in the command line."""
    sources = {option: context.get_parameter_source(option) for option in options}
    given = [
        f"--{name}" for name, source in sources.items() if source and source.name == "COMMANDLINE"
    ]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} exclude each other, give one")


def shown(nodes: str) -> str:
    """Return `nodes` for the user's eyes, without the password that a URL may have."""
    scheme, separator, place = nodes.partition("://")
    return f"{scheme}://{place.rpartition('@')[2]}" if separator else f"node {nodes}"


async def ask(nodes: str, question: Callable[[Client], Awaitable[A]], *, timeout: float) -> A:
    """Return the result of `question`, called with a client of `nodes`. Raises Failure.

    Each call of that client may take `timeout` seconds.
    """
    try:
        async with Client(nodes, timeout=timeout) as client:
            return await question(client)
    except CacheError as error:
        exit_status = EXIT_NOT_FOUND if isinstance(error, NotFound) else EXIT_FAILED
        raise Failure(explain(nodes, error), exit_status=exit_status) from error


def explain(nodes: str, error: CacheError) -> str:
    """Return the words of `error`, got from asking `nodes`, with a hint at what may be wrong."""
    is_one = "://" not in nodes
    return (
        f"{error}; is gaocache up running?"
        if is_one and isinstance(error, PeerUnavailable)
        else str(error)
    )
