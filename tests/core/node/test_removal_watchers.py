"""When a removal tells watchers, and what a node does with removals that it hears of late."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from in_process import Deliver, Roster, Wires
from trio_in_process import NODES, get, remove, trio
from virtual_time import after, in_virtual_time

from cache_core.cluster.watchers import ACK_SECONDS
from cache_core.messages import Message, Probe, Removal, RemoveHere


@pytest.mark.parametrize("watched", NODES)
@in_virtual_time
async def test_a_watcher_that_did_not_hear_is_named_whichever_node_it_watches(
    watched: str,
) -> None:
    async with (
        trio() as cluster,
        aclosing(cluster.nodes[watched].watchers.watch("w")) as notices,
    ):
        await anext(notices)
        assert await remove(cluster.nodes["a:1"], "1") == ("watcher w",)


@pytest.mark.parametrize("watched", ["a:1", "b:1"])
@in_virtual_time
async def test_watchers_are_told_once_every_node_has_removed_its_own(watched: str) -> None:
    """A watcher that drops its copy sooner may copy the old value again."""
    gate = asyncio.Event()

    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if node == "c:1" and isinstance(message, RemoveHere):
            await gate.wait()
        return await deliver()

    async with trio() as cluster:
        c, node = cluster.nodes["c:1"], cluster.nodes[watched]
        await get(c, "1", forwarded=True)
        cluster.wires.carry = carry
        async with aclosing(node.watchers.watch("w")) as notices:
            await anext(notices)
            told = asyncio.create_task(anext(notices))
            removing = asyncio.create_task(remove(cluster.nodes["a:1"], "1"))
            await after(0.1)
            assert not told.done()
            assert c.peek("g", "1") is not None
            gate.set()
            notice = await told
            assert notice.items == (Removal("g", "1"),)
            assert c.peek("g", "1") is None
            node.watchers.acknowledge(notice.watcher, notice.sequence)
            assert await removing == ()


@in_virtual_time
async def test_a_node_that_ends_waits_for_no_silent_watcher_and_leaves_no_task() -> None:
    node = Wires().add("a:1", [])
    node.open(Roster("a:1").watch())
    await node.take_own()
    async with aclosing(node.watchers.watch("w")) as notices:
        await anext(notices)
        await node.receive(Probe(None, 0, (Removal("g", "1"),)))
        await after(0)
        began = asyncio.get_running_loop().time()
        await node.aclose()
        assert asyncio.get_running_loop().time() == began
        assert asyncio.all_tasks() == {asyncio.current_task()}


@in_virtual_time
async def test_of_what_was_missed_a_group_that_the_node_lacks_hides_no_other() -> None:
    async with trio() as cluster:
        node = cluster.nodes["a:1"]
        await get(node, "1", forwarded=True)
        missed = Removal("no such group"), Removal("g", "1")
        await node.receive(Probe("b:1", node.peers.version, missed))
        assert node.peek("g", "1") is None


@in_virtual_time
async def test_a_node_that_is_named_to_itself_owes_itself_nothing() -> None:
    """It could never settle that, and nobody would take over entries from it."""
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        await a.receive(RemoveHere((Removal("g", "1"),), True, ("a:1", "b:1")))
        probed = await a.receive(Probe(None, 0))
        assert probed.have_missed == ("b:1",)


@in_virtual_time
async def test_a_probe_of_a_node_that_missed_nothing_is_no_notice() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        async with aclosing(a.watchers.watch("w")) as notices:
            first = await anext(notices)
            await a.receive(Probe("b:1", 0))
            await after(2 * ACK_SECONDS)
            assert len(a.watchers) == 1  # it was not waited for
            second = await anext(notices)
            assert (second.sequence, second.items) == (first.sequence + 1, ())
