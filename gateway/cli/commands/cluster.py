"""`gaocache cluster`: how the members of a cluster do."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated, Final

import typer
from rich.console import Console

from cache_core.client.client import Client
from cache_core.errors import CacheError
from cache_core.messages import NodeInfo
from gateway.cli.failure import EXIT_FAILED, Failure
from gateway.cli.options.nodes import (
    NodeOption,
    PeersOption,
    ask,
    choose_nodes,
    explain,
)
from gateway.cli.options.shared import TimeoutOption
from gateway.cli.output import write
from gateway.cli.survey_table import show
from gateway.survey.cluster_document import document
from gateway.survey.survey import survey

DEFAULT_TIMEOUT: Final = 5.0
PIPED_WIDTH: Final = 100
"""Columns of an output that is no terminal."""


def cluster(
    context: typer.Context,
    node: NodeOption = None,
    peers: PeersOption = None,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    groups: Annotated[
        bool, typer.Option("--groups", help="Show each group's sums over the nodes as well.")
    ] = False,
    json_: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object: the ring's version, warnings, and for each node its "
            "health, weight, share of the keys (0 to 1), uptime in seconds, and groups.",
        ),
    ] = False,
) -> None:
    """Show the nodes of a cluster: their health, their shares of the keys, and their figures.

    One node is asked for the others. Figures count from a node's start; hot hits are answered
    from copies of other nodes' entries, fetches are keys asked of their owners.

    Examples:
      gaocache cluster

      gaocache cluster --peers dns://nodes.internal:8080 --json

    """
    nodes = choose_nodes(context, node, peers)
    answers = asyncio.run(_ask_all(nodes, timeout))
    errors = [answer for answer in answers.values() if isinstance(answer, CacheError)]
    if len(errors) == len(answers):
        words = (explain(nodes, error) for error in errors)
        raise Failure("\n".join(words), exit_status=EXIT_FAILED)
    found = survey(answers)
    if json_:
        write(document(found).model_dump_json().encode() + b"\n")
    else:
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        show(found, Console(highlight=False, width=width), with_groups=groups)


async def _ask_all(nodes: str, timeout: float) -> Mapping[str, NodeInfo | CacheError]:
    """Return each member's answer; where `nodes` is one node, those that it names are asked too."""

    async def describe(client: Client) -> Mapping[str, NodeInfo | CacheError]:
        return await client.describe()

    answers = await ask(nodes, describe, timeout=timeout)
    first, *others = answers.values()
    if others or not isinstance(first, NodeInfo):
        return answers
    names = [member.node for member in first.members if member.node != first.node]
    if not names:
        return {first.node: first}
    return {
        **await ask(f"static://{','.join(names)}", describe, timeout=timeout),
        first.node: first,
    }
