"""Where the engines could differ, and should not: sizes, floods, the unforeseen, who calls."""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio
import pytest
from fake_participant import FakeParticipant, Found, ask, channel_to, hit, serving
from fakes import FakeSource
from task_peer import got

from cache_core import Client, Group, Node, Value, ValueTooLarge
from cache_core.address import Address
from cache_core.messages import Message, Removal, RemoveEverywhere
from cache_core.pb import cluster_pb2 as pb
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES, MAX_VALUE_BYTES
from cache_core.trace import NO_TRACE, Trace, current_trace

A = TypeVar("A")

pytestmark = pytest.mark.usefixtures("engine")

HIT = GetRequest(group="g", key="hit").SerializeToString()
SLOW = GetRequest(group="g", key="slow").SerializeToString()
ANY_SIZE = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
SETTINGS_ACK = b"\0\0\0\x04\x01\0\0\0\0"
PING = b"\0\0\x08\x06\0\0\0\0\0"
PING_ACK = b"\0\0\x08\x06\x01\0\0\0\0"


class TracedParticipant(FakeParticipant):
    """Notes the trace that each message comes in."""

    def __init__(
        self, held: Mapping[str, Found] | None = None, source: Mapping[str, Found] | None = None
    ) -> None:
        super().__init__(held, source)
        self.traces: list[Trace] = []

    async def receive(self, message: Message[A]) -> A:
        self.traces.append(current_trace.get())
        return await super().receive(message)


async def said(channel: grpc.aio.Channel, path: str, data: bytes) -> tuple[str, str]:
    """Return the code and the words that a unary call ends with."""
    try:
        await channel.unary_unary(path, bytes, bytes)(data, timeout=30)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details() or ""
    return "OK", ""


async def test_a_request_above_the_limit_is_refused_and_one_at_it_is_not() -> None:
    participant = FakeParticipant()
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address), options=ANY_SIZE) as channel,
    ):
        field = b"\x0a\x80\x80\x84\x02"  # a group of so many bytes
        fits = field + b"g" * (MAX_MESSAGE_BYTES - len(field))
        assert len(fits) == MAX_MESSAGE_BYTES
        assert await said(channel, GET, fits) == (
            "INVALID_ARGUMENT",
            "the request is no GetRequest",
        )
        sizes = f"({MAX_MESSAGE_BYTES + 1} vs. {MAX_MESSAGE_BYTES})"
        words = f"SERVER: Received message larger than max {sizes}"
        assert await said(channel, GET, fits + b"g") == ("RESOURCE_EXHAUSTED", words)


async def test_an_answer_above_the_limit_is_not_sent() -> None:
    participant = FakeParticipant()
    participant.answers[RemoveEverywhere] = ("n" * MAX_MESSAGE_BYTES,)
    request = pb.RemoveRequest(group="g", key="k").SerializeToString()
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address), options=ANY_SIZE) as channel,
    ):
        code, words = await said(channel, CLUSTER + "Remove", request)
    assert code == "RESOURCE_EXHAUSTED"
    assert words.startswith("SERVER: Sent message larger than max")


async def test_what_is_unforeseen_fails_its_call_alone() -> None:
    participant = FakeParticipant({"hit": hit()})
    remove = pb.RemoveRequest(group="g", key="k").SerializeToString()
    batch = pb.BatchGetRequest(groups=["g"], keys=["none"]).SerializeToString()
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        unforeseen = ("UNKNOWN", "Unexpected <class 'KeyError'>: 'slow'")
        assert await said(channel, GET, SLOW) == unforeseen
        assert (await said(channel, CLUSTER + "Remove", remove))[0] == "UNKNOWN"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(channel.unary_stream(CLUSTER + "BatchGet", bytes, bytes)(batch)))
        assert caught.value.code() is grpc.StatusCode.UNKNOWN
        assert await said(channel, GET, HIT) == ("OK", "")


async def test_a_call_that_nobody_knows_is_unimplemented() -> None:
    async with (
        serving(FakeParticipant()) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        assert await said(channel, "/gaocachepb.Gaocache/Put", b"") == (
            "UNIMPLEMENTED",
            "Method not found!",
        )


async def test_a_compressed_request_is_understood() -> None:
    participant = FakeParticipant({"k" * 1000: hit()})
    request = GetRequest(group="g", key="k" * 1000).SerializeToString()
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address), compression=grpc.Compression.Gzip) as channel,
    ):
        assert await said(channel, GET, request) == ("OK", "")


async def test_hundreds_may_wait_on_one_connection_and_hang_up_at_once() -> None:
    participant = FakeParticipant({"hit": hit()}, {"slow": hit()})
    participant.gates["slow"] = asyncio.Event()
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        calls = [asyncio.create_task(said(channel, GET, SLOW)) for _ in range(500)]
        for _ in calls:
            await participant.loading.get()
        assert await said(channel, GET, HIT) == ("OK", "")
        for call in calls:
            call.cancel()
        for _ in calls:
            await participant.cancelled.get()
        assert await said(channel, GET, HIT) == ("OK", "")


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    ("host", "to", "name"),
    [
        ("127.0.0.1", "127.0.0.1", "watcher ipv4:127.0.0.1:"),
        ("::1", "::1", "watcher ipv6:%5B::1%5D:"),
        ("::", "::1", "watcher ipv6:%5B::1%5D:"),
        ("::", "127.0.0.1", "watcher ipv4:127.0.0.1:"),
        ("localhost", "localhost", "watcher ipv"),
    ],
)
async def test_a_watcher_is_named_as_grpc_names_it(host: str, to: str, name: str) -> None:
    participant = FakeParticipant()
    async with (
        serving(participant, host=host) as address,
        channel_to(Address(to, address.port)) as channel,
        aclosing(channel.watch()) as notices,
    ):
        await anext(notices)
        (named,) = await participant.watchers.notify((Removal("g"),), timeout=0.01)
    assert named.startswith(name)


@pytest.mark.usefixtures("channel")
async def test_answers_given_before_a_stop_arrive_however_large(source: FakeSource) -> None:
    keys = [str(n) for n in range(12)]
    source.values = dict.fromkeys(keys, bytes(MAX_VALUE_BYTES))
    source.gate.clear()
    node = Node("127.0.0.1:0", [Group("scores", source)])
    await node.start()
    async with Client(node.address, timeout=30) as client:
        gets = [asyncio.create_task(client.get("scores", key)) for key in keys]
        await source.asked.wait()
        stopping = asyncio.create_task(node.stop())
        await asyncio.sleep(0)
        source.gate.set()
        assert [len((await get).data) for get in gets] == [MAX_VALUE_BYTES] * len(keys)
        await stopping


async def test_a_client_may_ping_often(node: Node) -> None:
    reader, writer = await asyncio.open_connection(*node.address.split(":"))
    writer.write(PREFACE + SETTINGS + SETTINGS_ACK)
    for number in range(2):
        payload = bytes([number] * 8)
        writer.write(PING + payload)
        await reader.readuntil(PING_ACK + payload)
    writer.close()
    await writer.wait_closed()


@pytest.mark.usefixtures("channel")
async def test_a_message_runs_in_no_trace_of_another_call() -> None:
    participant = TracedParticipant({"k": hit()}, {"slow": hit()})
    participant.answers[RemoveEverywhere] = ()
    trace = Trace(f"00-{1:032x}-{1:016x}-01", "a=b")
    async with serving(participant) as address, channel_to(address) as channel:
        for key in ("k", "slow"):
            await got(channel, [ask(key, trace=trace)], ring=0, timeout=30)
            await channel.send(RemoveEverywhere(Removal("g", "k")), timeout=30)
    assert {seen for _, _, seen in participant.asked} == {trace}
    assert participant.traces == [NO_TRACE, NO_TRACE]


@pytest.mark.usefixtures("channel")
async def test_a_held_value_above_the_limit_is_refused_as_a_loaded_one_is() -> None:
    large = Value(bytes(MAX_VALUE_BYTES + 1))
    participant = FakeParticipant({"held": large}, {"loaded": large})
    async with serving(participant) as address, channel_to(address) as channel:
        for key in ("held", "loaded"):
            with pytest.raises(ValueTooLarge, match="the value has 4194305 bytes"):
                await got(channel, [ask(key)], ring=0, timeout=30)


async def test_buf_curl_removes_a_key_by_reflection() -> None:
    participant = FakeParticipant()
    participant.answers[RemoveEverywhere] = ("n:1",)
    async with serving(participant) as address:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("buf"),
            "curl",
            *("--http2-prior-knowledge", "--protocol", "grpc"),
            *("--data", '{"group":"scores","key":"Tom"}'),
            f"http://{address}/gaocache.cluster.v1.Cluster/Remove",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    assert json.loads(stdout) == {"unreached": ["n:1"]}
    assert await participant.received.get() == RemoveEverywhere(Removal("scores", "Tom"))
