"""The CPU time of a client's get, with 1 to 64 nodes on its ring, simulated: no wire, no load."""

import asyncio
import gc
from collections.abc import Sequence
from time import process_time
from typing import Final, TypeVar

from cache_core import Client
from cache_core.cluster.member import Member
from cache_core.cluster.peer import Ask, Done, GiveUp
from cache_core.membership.static import StaticMembership
from cache_core.messages import Message, Probe, Probed
from cache_core.value import Answer, Value
from gateway.cli.processes.importing import YOUNG_OBJECTS

A = TypeVar("A")

KEYS: Final = 5_000
LEAST: Final = 20
"""How many gets a caller makes at the least: the start of many callers is no get's cost."""

HIT: Final = Value(b"x" * 100, 60.0, 1.0, Answer.HIT)


class InstantPeer:
    """A Peer that answers every key in the next turn of the event loop."""

    def ask(
        self,
        asks: Sequence[Ask],
        *,
        ring: int,  # noqa: ARG002
        timeout: float,  # noqa: ARG002
        done: Done,
    ) -> GiveUp:
        # In the next turn: over a wire no answer comes earlier, and until then more keys may join.
        return asyncio.get_running_loop().call_soon(_answer, asks, done).cancel

    async def send(self, message: Message[A], *, timeout: float) -> A:  # noqa: ARG002
        if not isinstance(message, Probe):
            raise TypeError(f"{message} is not what a client that only gets sends")
        answer: A = Probed(draining=False, ring=0)  # type: ignore[assignment] # a Probe's answer
        return answer

    async def aclose(self) -> None:
        """There is nothing to end."""


def _answer(asks: Sequence[Ask], done: Done) -> None:
    for ask in asks:
        ask.settle(HIT)
    done(None)


class Simulated:
    """A client of so many nodes, within the `async with`."""

    def __init__(self, nodes: int) -> None:
        members = [Member(f"10.0.0.{number}:8080") for number in range(1, nodes + 1)]
        membership = StaticMembership(members)
        self._client = Client(membership, timeout=30, connect=lambda _: InstantPeer())

    async def __aenter__(self) -> "Simulated":
        await self._client.get("values", "first")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def micros(self, callers: int, gets: int) -> float:
        """Return the CPU time in µs of a get, of about `gets` by so many callers at once."""
        each = max(gets // callers, LEAST)

        async def ask(caller: int) -> None:
            for number in range(caller * each, (caller + 1) * each):
                await self._client.get("values", f"key-{number % KEYS}")

        gc.collect()
        threshold = gc.get_threshold()
        gc.set_threshold(YOUNG_OBJECTS)  # as a gateway has it
        began = process_time()
        await asyncio.gather(*map(ask, range(callers)))
        taken = process_time() - began
        gc.set_threshold(*threshold)
        return taken / (each * callers) * 1e6
