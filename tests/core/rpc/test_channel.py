"""Calls whose time is over before they are answered, or that nobody waits for any more."""

import asyncio
import socket

import pytest
from fake_participant import channel_to
from odd_node import echo, nothing, odd_node

from cache_core import DeadlineExceeded
from cache_core.address import Address
from cache_core.messages import HandOver, Message, Probe

PROBE = Probe(None, 0)


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_a_call_whose_time_is_over_is_not_made(timeout: float) -> None:
    async with odd_node(echo) as node, channel_to(node.address) as channel:
        await channel.send(PROBE, timeout=30)
        with pytest.raises(DeadlineExceeded, match="did not answer within the deadline"):
            await channel.send(PROBE, timeout=timeout)
        await channel.send(PROBE, timeout=30)
        assert len(node.messages) == 2


async def test_a_hand_over_that_nobody_waits_for_is_given_up() -> None:
    async with odd_node(nothing) as node, channel_to(node.address) as channel:
        taking = asyncio.create_task(channel.send(HandOver("me:1"), timeout=30))
        connection, call = await node.calls.get()
        taking.cancel()
        await asyncio.wait([taking])
        node.then = echo
        await channel.send(PROBE, timeout=30)  # comes behind what was said before
        assert connection.handler.gone == [call]


@pytest.mark.parametrize("message", [PROBE, HandOver("me:1")])
async def test_a_call_to_a_server_that_says_nothing_ends_in_time(message: Message[object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with channel_to(Address(*silent.getsockname())) as channel, asyncio.timeout(10):
            with pytest.raises(DeadlineExceeded, match="did not answer within the deadline"):
                await channel.send(message, timeout=0.05)
