"""A get whose owner can't be reached goes on in its own trace."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar, cast

from cache_core import Client, Value
from cache_core.cluster.peer import Ask
from cache_core.errors import PeerUnavailable
from cache_core.messages import Message, Probed
from cache_core.trace import Trace, current_trace

A = TypeVar("A")

KEYS = [str(key) for key in range(20)]


class Flapping:
    """A Peer that fails its first call, and remembers in which trace each key was asked for."""

    def __init__(self) -> None:
        self.traces: dict[str, Trace] = {}
        self._has_failed = False

    async def get(self, asks: Sequence[Ask], *, ring: int, timeout: float) -> None:  # noqa: ARG002
        if not self._has_failed:
            self._has_failed = True
            raise PeerUnavailable("it is not there")
        for ask in asks:
            self.traces[ask.key] = ask.trace
            ask.settle(Value(b""))

    async def send(self, message: Message[A], *, timeout: float) -> A:  # noqa: ARG002
        return cast("A", Probed(draining=False, ring=0))

    async def aclose(self) -> None:
        """Nothing is to be ended."""


async def test_each_key_of_a_call_that_failed_is_asked_for_again_in_its_own_trace() -> None:
    peer = Flapping()

    async def get(key: str) -> None:
        current_trace.set(Trace(f"trace of {key}"))
        await client.get("g", key)

    async with Client("a:1", connect=lambda _: peer) as client:
        await client.reach()
        await asyncio.gather(*map(get, KEYS))
    assert peer.traces == {key: Trace(f"trace of {key}") for key in KEYS}
