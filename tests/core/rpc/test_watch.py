"""Watching a node over real connections."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import grpc
import grpc.aio
import pytest
from fake_participant import FakeParticipant, channel_to, connected, serving

from cache_core import PeerUnavailable
from cache_core.address import Address
from cache_core.cluster.watchers import SILENCE_SECONDS, Watchers
from cache_core.messages import Notice, Removal
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.service import Service

pytestmark = pytest.mark.usefixtures("engine")

TOM = (Removal("scores", "Tom"), Removal("names"))


SMALL_WINDOW = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))


class FollowedWatchers(Watchers):
    """Tells when one has left, and promises another `silence`."""

    def __init__(self, silence: float = SILENCE_SECONDS) -> None:
        super().__init__()
        self.left = asyncio.Event()
        self._silence = silence

    async def watch(self, name: str) -> AsyncGenerator[Notice, None]:
        try:
            async with aclosing(super().watch(name)) as notices:
                async for notice in notices:
                    yield replace(notice, silence=self._silence)
        finally:
            self.left.set()


@pytest.mark.usefixtures("channel")
async def test_a_removal_is_told_and_acknowledged() -> None:
    participant = FakeParticipant()
    async with connected(participant) as channel, aclosing(channel.watch()) as notices:
        first = await anext(notices)
        assert (first.sequence, first.items, first.silence) == (1, (), SILENCE_SECONDS)
        assert len(participant.watchers) == 1
        telling = asyncio.create_task(participant.watchers.notify(TOM))
        notice = await anext(notices)
        assert (notice.watcher, notice.items) == (first.watcher, TOM)
        assert not telling.done()
        await channel.acknowledge(notice.watcher, notice.sequence)
        assert await telling == ()


@pytest.mark.usefixtures("channel")
async def test_who_does_not_acknowledge_is_named_by_its_address_and_its_stream_ends() -> None:
    participant = FakeParticipant()
    async with connected(participant) as channel, aclosing(channel.watch()) as notices:
        await anext(notices)
        (name,) = await participant.watchers.notify(TOM, timeout=0.05)
        assert name.startswith("watcher ipv4:127.0.0.1:")
        assert [notice.items async for notice in notices] == [TOM]


@pytest.mark.usefixtures("channel")
async def test_a_heartbeat_comes_while_nothing_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cache_core.cluster.watchers.HEARTBEAT_SECONDS", 0.05)
    participant = FakeParticipant()
    async with connected(participant) as channel, aclosing(channel.watch()) as notices:
        await anext(notices)
        beat = await anext(notices)
    assert (beat.sequence, beat.items) == (2, ())


@pytest.mark.usefixtures("channel")
async def test_who_says_goodbye_is_forgotten_and_who_does_not_is_named() -> None:
    participant = FakeParticipant()
    participant.watchers = watchers = FollowedWatchers()
    async with connected(participant) as channel:
        async with aclosing(channel.watch()) as notices:
            await channel.leave((await anext(notices)).watcher)
            assert [notice async for notice in notices] == []
        await watchers.left.wait()
        assert await watchers.notify(TOM) == ()
        watchers.left.clear()
        async with aclosing(channel.watch()) as notices:
            await anext(notices)
        await watchers.left.wait()
        (name,) = await watchers.notify(TOM)
        assert name.startswith("watcher ipv4:127.0.0.1:")


@pytest.mark.usefixtures("channel")
async def test_watching_over_a_channel_that_is_closed_is_unavailable() -> None:
    participant = FakeParticipant()
    participant.watchers = watchers = FollowedWatchers()
    async with connected(participant) as channel, aclosing(channel.watch()) as notices:
        await anext(notices)
        await channel.aclose()
        with pytest.raises(PeerUnavailable, match="the connection to node"):
            await anext(notices)
        await watchers.left.wait()


@pytest.mark.usefixtures("channel")
async def test_cancelling_whoever_waits_for_a_notice_ends_the_watch() -> None:
    participant = FakeParticipant()
    participant.watchers = watchers = FollowedWatchers()
    async with connected(participant) as channel, aclosing(channel.watch()) as notices:
        await anext(notices)
        waiting = asyncio.create_task(anext(notices))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await watchers.left.wait()


@pytest.mark.usefixtures("channel")
async def test_a_watch_ends_when_the_node_stops_and_does_not_hold_it_up() -> None:
    server = choose_engine(GrpcEngine.AUTO)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant()))
    async with channel_to(address) as channel, aclosing(channel.watch()) as notices:
        await anext(notices)
        began = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(server.stop(30))
        assert [notice async for notice in notices] == []
        with pytest.raises(PeerUnavailable):
            await anext(channel.watch())
        await stopping
        assert asyncio.get_running_loop().time() - began < 0.9


@pytest.mark.usefixtures("channel")
async def test_a_node_that_is_gone_can_not_be_watched() -> None:
    async with serving(FakeParticipant()) as address:
        pass
    async with channel_to(address) as channel:
        with pytest.raises(PeerUnavailable, match="can't be reached"):
            await anext(channel.watch())


async def test_a_watcher_that_does_not_read_is_given_up() -> None:
    participant = FakeParticipant()
    participant.watchers = watchers = FollowedWatchers(silence=0.05)
    large = tuple(Removal("g", f"{n:01000}") for n in range(3_000))
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address), options=SMALL_WINDOW) as channel,
    ):
        call = channel.unary_stream(CLUSTER + "Watch", bytes, bytes)(b"")
        await anext(aiter(call))
        (name,) = await watchers.notify(large)
        assert name.startswith("watcher ")
        await watchers.left.wait()
        call.cancel()
