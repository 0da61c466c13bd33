"""Calls that come while grpcio's server is about to stop, and calls that a stop waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc.aio
import pytest
from fake_participant import AnyChannel, FakeParticipant, ask, channel_to, hit
from task_peer import got
from virtual_time import in_virtual_time

from cache_core import PeerUnavailable
from cache_core.address import Address
from cache_core.messages import HandOver, Removal, RemoveEverywhere
from cache_core.rpc.grpcio.draining import LAME_DUCK_SECONDS, QUIET_SECONDS, RunningCalls
from cache_core.rpc.grpcio.handlers import Handlers
from cache_core.rpc.service import Service


@asynccontextmanager
async def served(participant: FakeParticipant, running: RunningCalls) -> AsyncIterator[AnyChannel]:
    server = grpc.aio.server()
    Handlers(Service(participant), running).bind(server)
    address = Address("127.0.0.1", server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    try:
        async with channel_to(address) as channel:
            yield channel
    finally:
        await server.stop(None)


async def get(channel: AnyChannel, keys: str) -> None:
    await got(channel, [ask(key) for key in keys], ring=0, timeout=30)


CALLS: dict[str, Callable[[AnyChannel], object]] = {
    "Get": lambda channel: get(channel, "a"),
    "BatchPeek": lambda channel: get(channel, "ab"),
    "BatchGet": lambda channel: get(channel, "xy"),
    "Remove": lambda channel: channel.send(RemoveEverywhere(Removal("g", "k")), timeout=30),
    "HandOver": lambda channel: channel.send(HandOver("n:1"), timeout=30),
    "Acknowledge": lambda channel: channel.leave("nobody"),
    "Watch": lambda channel: anext(channel.watch()),
}


class Noticing(RunningCalls):
    """Tells when a call has come that is held back."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    async def come(self) -> None:
        self.came.set()
        await super().come()


@pytest.mark.parametrize("method", CALLS)
async def test_every_call_that_comes_before_the_stop_is_held_back(method: str) -> None:
    participant = FakeParticipant({"a": hit(), "b": hit()}, {"x": hit(), "y": hit()})
    participant.answers = {RemoveEverywhere: (), HandOver: ()}
    running = Noticing()
    await running.hold_back()
    async with served(participant, running) as channel:
        calling = asyncio.ensure_future(CALLS[method](channel))  # type: ignore[call-overload]
        await running.came.wait()
        await asyncio.sleep(0.01)
        assert not calling.done()
        running.answer()
        await calling


@in_virtual_time
async def test_a_server_is_quiet_once_no_call_has_come_for_so_long() -> None:
    running = RunningCalls()
    loop = asyncio.get_running_loop()
    holding = asyncio.create_task(running.hold_back())
    await asyncio.sleep(0)
    callers = []
    for _ in range(4):
        await asyncio.sleep(QUIET_SECONDS * 0.9)
        callers.append(asyncio.create_task(running.come()))
        assert not holding.done()
    last = loop.time()
    await holding
    assert loop.time() - last == pytest.approx(QUIET_SECONDS)
    assert not any(caller.done() for caller in callers)
    running.answer()
    await asyncio.gather(*callers)


@in_virtual_time
async def test_a_stop_waits_for_quiet_no_longer_than_so_long() -> None:
    running = RunningCalls()
    holding = asyncio.create_task(running.hold_back())
    callers = []
    began = asyncio.get_running_loop().time()
    while not holding.done():
        callers.append(asyncio.create_task(running.come()))
        await asyncio.sleep(QUIET_SECONDS / 2)
    took = asyncio.get_running_loop().time() - began
    assert LAME_DUCK_SECONDS <= took <= LAME_DUCK_SECONDS + QUIET_SECONDS
    running.answer()
    await asyncio.gather(*callers)


@in_virtual_time
async def test_a_stop_waits_for_every_running_call_and_ends_those_that_outlive_the_grace() -> None:
    running = RunningCalls()
    began = asyncio.get_running_loop().time()
    ended: list[str] = []

    async def call(name: str, seconds: float) -> None:
        with running:
            try:
                await running.wait(asyncio.sleep(seconds))
                ended.append(name)
            except PeerUnavailable as error:
                ended.append(f"{name}: {error}")

    calls = [
        asyncio.create_task(call(name, seconds))
        for name, seconds in (("short", 1), ("long", 2), ("endless", 100))
    ]
    await asyncio.sleep(0)
    await running.finish(5)
    await asyncio.gather(*calls)
    assert ended == ["short", "long", "endless: the node is stopping"]
    assert asyncio.get_running_loop().time() - began == pytest.approx(5)
