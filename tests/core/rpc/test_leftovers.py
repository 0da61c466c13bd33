"""What a node's server leaves behind, and how long it takes to stop while clients call."""

import asyncio
import tempfile
from pathlib import Path

import grpc.aio
import pytest
from fake_participant import FakeParticipant, ask, channel_to, hit, serving
from task_peer import got

from cache_core.address import Address
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.service import Service

pytestmark = pytest.mark.usefixtures("engine")


async def test_a_server_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with serving(FakeParticipant({"a": hit()})) as address, channel_to(address) as channel:
        await got(channel, [ask("a")], ring=0, timeout=30)
    assert list(tmp_path.iterdir()) == []


async def test_a_stop_is_quick_though_a_client_goes_on_calling() -> None:
    server = choose_engine(GrpcEngine.AUTO)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant({"hit": hit()})))
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()
    stopped = False

    async def call_until_it_has_stopped(channel: grpc.aio.Channel) -> None:
        get = channel.unary_unary("/gaocachepb.Gaocache/Get", bytes, bytes)
        while not stopped:
            try:
                await get(b"\x0a\x01g\x12\x03hit", timeout=30)
                answered.set()
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.001)

    async with grpc.aio.insecure_channel(str(address)) as channel:
        calling = [asyncio.create_task(call_until_it_has_stopped(channel)) for _ in range(4)]
        await answered.wait()
        began = loop.time()
        await server.stop(30)
        took = loop.time() - began
        stopped = True
        await asyncio.gather(*calling)
    assert took < 0.9
