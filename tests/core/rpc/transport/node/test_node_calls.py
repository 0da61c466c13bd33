"""How a node waits for its calls when it stops, in virtual time."""

import asyncio

from joined import Lines, lines
from virtual_time import after, in_virtual_time, now

from cache_core.rpc.grpc.status import StatusCode


async def finishing(joined: Lines, grace: float) -> float:
    """Have the node finish its calls; return how long that took."""
    began = now()
    await joined.node.finish(grace)
    return now() - began


@in_virtual_time
async def test_a_node_without_calls_has_nothing_to_wait_for() -> None:
    async with lines() as joined:
        assert await finishing(joined, 10) == 0


@in_virtual_time
async def test_a_node_waits_until_its_calls_have_ended_and_no_longer() -> None:
    async with lines() as joined:
        _, caller = joined.get("slow")
        await after(0)
        asyncio.get_running_loop().call_later(3, joined.participant.gates["slow"].set)
        assert await finishing(joined, 10) == 3
        await after(0)
        assert caller.end.code is StatusCode.OK


@in_virtual_time
async def test_calls_that_come_meanwhile_are_waited_for_as_well() -> None:
    async with lines() as joined:
        gates = joined.participant.gates
        gates["k" * 40_000] = asyncio.Event()
        loop = asyncio.get_running_loop()
        joined.get("slow")
        await after(0)
        loop.call_later(1, joined.get, "k" * 40_000)
        loop.call_later(2, gates["slow"].set)
        loop.call_later(4, gates["k" * 40_000].set)
        assert await finishing(joined, 10) == 4


@in_virtual_time
async def test_calls_that_outlive_the_grace_are_ended_as_unavailable() -> None:
    async with lines() as joined:
        _, caller = joined.get("slow")
        await after(0)
        assert await finishing(joined, 5) == 5
        await after(0)
        assert caller.end.code is StatusCode.UNAVAILABLE
        assert caller.end.words == "the node is stopping"
        assert joined.participant.cancelled.get_nowait() == "slow"


@in_virtual_time
async def test_watches_are_not_waited_for_and_end_last() -> None:
    async with lines() as joined:
        _, caller = joined.watch_health()
        await after(0)
        assert await finishing(joined, 10) == 0
        await after(0)
        assert (len(caller.messages), caller.ends) == (1, [])
        joined.node.cancel()
        await after(0)
        assert caller.end.code is StatusCode.UNAVAILABLE


@in_virtual_time
async def test_who_watches_removals_and_reads_nothing_does_not_hold_up_the_stop() -> None:
    async with lines() as joined:
        _, caller = joined.watch()
        await after(0)
        assert await finishing(joined, 10) == 0
        joined.node.cancel()
        await after(0)
        assert caller.end.code is StatusCode.UNAVAILABLE
