import json

import pytest
from fakes import FakeSource
from processes import Run

from cache_core import Node
from cache_core.address import Address
from cache_core.rpc.channel import Channel

COMMANDS = [("rm", "scores", "Tom"), ("flush", "scores")]


@pytest.mark.parametrize("command", COMMANDS)
async def test_what_is_removed_is_asked_of_the_source_again_whoever_is_asked(
    run: Run, pair: list[Node], source: FakeSource, command: tuple[str, ...]
) -> None:
    one, other = (node.address for node in pair)
    assert (await run("get", "scores", "Tom", "--node", one)).stdout == b"630"
    source.values["Tom"] = b"631"
    assert (await run("get", "scores", "Tom", "--node", other)).stdout == b"630"
    ended = await run(*command, "--node", one)
    assert (ended.status, ended.stdout, ended.stderr) == (0, b"", "")
    for node in (one, other):
        assert (await run("get", "scores", "Tom", "--node", node)).stdout == b"631"


@pytest.mark.parametrize("command", COMMANDS)
async def test_all_reached_is_an_empty_list_in_json(
    run: Run, pair: list[Node], command: tuple[str, ...]
) -> None:
    peers = f"static://{pair[0].address},{pair[1].address}"
    ended = await run(*command, "--json", "--peers", peers)
    assert (ended.status, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == {"unreached": []}


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_node_that_is_not_reached_is_named_with_what_it_means(
    run: Run, pair: list[Node], command: tuple[str, ...]
) -> None:
    one, gone = pair
    await gone.stop(drain=False)
    ended = await run(*command, "--json", "--node", one.address)
    assert ended.status == 1
    assert json.loads(ended.stdout) == {"unreached": [gone.address]}
    assert ended.stderr == (
        f"gaocache: node {gone.address} was not reached: its copies end within the group's "
        "hot_ttl, and it is told when it answers again\n"
    )
    assert (await run(*command, "--node", one.address)).stdout == b""


async def test_a_watcher_that_does_not_confirm_is_named(run: Run, node: Node) -> None:
    channel = Channel(Address.parse(node.address))
    watching = channel.watch()
    await anext(watching)
    ended = await run("rm", "scores", "Tom", "--node", node.address)
    assert ended.status == 1
    assert ended.stderr.startswith("gaocache: watcher ipv4:127.0.0.1:")
    assert ended.stderr.endswith(" has not confirmed: its copies end within 3 seconds\n")
    await channel.aclose()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("rm", "none", "Tom"), "group not found"),
        (("rm", "scores", ""), "key required"),
        (("flush", "none"), "group not found"),
    ],
)
async def test_where_nothing_was_removed_it_is_said_why(
    run: Run, node: Node, command: tuple[str, ...], words: str
) -> None:
    ended = await run(*command, "--json", "--node", node.address)
    assert (ended.status, ended.stdout) == (3, b"")
    assert ended.stderr == f"gaocache: {words}\n"
