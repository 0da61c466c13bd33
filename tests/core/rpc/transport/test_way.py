"""The way to a node: how it is found, lost, found again and closed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import pytest
from fake_participant import (
    AnyChannel,
    FakeParticipant,
    ask,
    channel_to,
    connected,
    outcomes,
    serving,
)
from fakes import settled
from odd_node import OddConnection, nothing, odd_node

from cache_core import PeerUnavailable, Value
from cache_core.address import Address
from cache_core.rpc.channel import Channel
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.codes import ConnectionFault, ErrorCode
from cache_core.rpc.service import Service
from cache_core.rpc.transport import way as way_module
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.way import Way

HELD = {"k": Value(b"630")}


async def got(channel: AnyChannel, key: str = "k", timeout: float = 30) -> object:
    """Return the data of a Get, or its error."""
    (found,) = await outcomes(channel, [ask(key)], timeout=timeout)
    return found.data if isinstance(found, Value) else found


@asynccontextmanager
async def serving_at(address: Address) -> AsyncIterator[Address]:
    """Serve HELD at `address`."""
    server = choose_engine(GrpcEngine.NATIVE)(address)
    bound = server.bind()
    await server.start(Service(FakeParticipant(HELD)))
    try:
        yield bound
    finally:
        await server.stop(1)


@contextmanager
def full() -> Iterator[Address]:
    """An address at which a connection hangs: as many wait as may, and nobody takes them."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield Address(*listening.getsockname())


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: Address) -> None:
    """Have the name node.example mean these addresses, in their order."""
    loop = asyncio.get_running_loop()
    truly = loop.getaddrinfo

    async def getaddrinfo(host: str, port: int, **given: int) -> list[object]:
        if host != "node.example":  # uvloop asks for addresses, too
            return [*await truly(host, port, **given)]
        kind = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
        return [(*kind, (address.host, address.port)) for address in addresses]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


async def test_a_node_that_has_restarted_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_module, "PAUSE_SECONDS", 0.0)
    async with serving_at(Address("127.0.0.1", 0)) as address:
        channel = Channel(address)
        assert await got(channel) == b"630"
    assert isinstance(await got(channel), PeerUnavailable)
    async with serving_at(address):
        assert await got(channel) == b"630"
        await channel.aclose()


async def test_after_a_refused_try_calls_fail_at_once_for_a_moment() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with channel_to(Address(*bound.getsockname())) as channel:
            found = await asyncio.gather(*(got(channel) for _ in range(20)))
            assert {type(one) for one in found} == {PeerUnavailable}
            async with asyncio.timeout(0.05):
                assert isinstance(await got(channel), PeerUnavailable)


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 64}.invalid", "a..b"])
async def test_a_name_that_can_not_be_resolved_is_unavailable(host: str) -> None:
    async with channel_to(Address(host, 1)) as channel:
        assert isinstance(await got(channel), PeerUnavailable)


async def test_an_address_that_hangs_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    with full() as hanging:
        async with serving_at(Address("127.0.0.1", 0)) as address:
            resolving_to(monkeypatch, hanging, address)
            async with channel_to(Address("node.example", 1)) as channel:
                assert await got(channel, timeout=5) == b"630"


async def test_an_address_that_refuses_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with serving_at(Address("127.0.0.1", 0)) as address:
            resolving_to(monkeypatch, Address(*bound.getsockname()), address)
            async with channel_to(Address("node.example", 1)) as channel:
                assert await got(channel, timeout=5) == b"630"


async def test_a_dial_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_module, "DIAL_SECONDS", 0.1)
    with full() as hanging:
        async with channel_to(hanging) as channel:
            assert isinstance(await got(channel), PeerUnavailable)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 10])
async def test_a_way_can_be_closed_while_it_is_dialed(turns: int) -> None:
    async with odd_node(nothing) as node:
        way = Way(node.address)
        asking = asyncio.create_task(Answer(way, request_block("/s/One", "n", ()), b"").wait())
        for _ in range(turns):
            await asyncio.sleep(0)
        await way.aclose()
        with pytest.raises(Ended) as caught:
            await asking
        assert caught.value.code is StatusCode.UNAVAILABLE


async def test_a_way_can_be_closed_while_a_dial_hangs() -> None:
    with full() as hanging:
        channel = Channel(hanging)
        asking = asyncio.create_task(got(channel))
        await settled()
        await channel.aclose()
        assert isinstance(await asking, PeerUnavailable)


async def test_calls_that_run_when_the_channel_is_closed_are_unavailable() -> None:
    participant = FakeParticipant({}, {"slow": Value(b"1")})
    participant.gates["slow"] = asyncio.Event()
    async with serving(participant) as address:
        channel = Channel(address)
        asking = [asyncio.create_task(got(channel, "slow")) for _ in range(20)]
        for _ in asking:
            await participant.loading.get()
        await channel.aclose()
        assert {type(one) for one in await asyncio.gather(*asking)} == {PeerUnavailable}
        for _ in asking:
            await participant.cancelled.get()
        assert isinstance(await got(channel), PeerUnavailable)
        await channel.aclose()


async def test_a_channel_to_a_node_that_takes_nothing_closes_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        channel = Channel(Address(*listening.getsockname()))
        asking = [asyncio.create_task(got(channel, f"{n}" + "k" * 500_000)) for n in range(40)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            await channel.aclose()
        assert {type(one) for one in await asyncio.gather(*asking)} == {PeerUnavailable}


async def test_a_call_that_is_given_up_while_it_is_dialed_is_not_made() -> None:
    async with odd_node() as node:
        way = Way(node.address)
        block = request_block("/s/One", "n", ())
        given_up = asyncio.create_task(Answer(way, block, b"first").wait())
        await asyncio.sleep(0)
        given_up.cancel()
        assert (await Answer(way, block, b"second").wait())[0] == b"second"
        assert node.messages == [b"second"]
        await way.aclose()


async def test_a_node_is_reached_over_ipv6() -> None:
    async with serving(FakeParticipant(HELD), host="::1") as address:
        assert address.host == "::1"
        async with channel_to(address) as channel:
            assert await got(channel) == b"630"


async def test_a_node_at_every_address_is_reached_over_both() -> None:
    async with serving(FakeParticipant(HELD), host="::") as address:
        for host in ("127.0.0.1", "::1"):
            async with channel_to(Address(host, address.port)) as channel:
                assert await got(channel) == b"630"


async def test_many_large_values_come_at_once() -> None:
    held = {f"{n}": Value(bytes([n]) * (4 << 20)) for n in range(12)}
    async with connected(FakeParticipant(held)) as channel:
        found = await asyncio.gather(*(got(channel, key) for key in held))
    assert found == [value.data for value in held.values()]


async def test_thousands_of_calls_that_begin_with_the_connection_are_answered() -> None:
    async with connected(FakeParticipant(HELD)) as channel:
        assert await asyncio.gather(*(got(channel) for _ in range(2_500))) == [b"630"] * 2_500


async def test_why_a_node_cannot_be_reached_is_kept_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "gaocache")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = Address(*bound.getsockname())
    async with channel_to(nobody) as channel:
        for _ in range(3):
            found = await got(channel)
            assert isinstance(found, PeerUnavailable)
            assert isinstance(found.__cause__, Ended)
            assert "Connect call failed" in found.__cause__.words
    assert [record.getMessage().count("can't connect") for record in caplog.records] == [1]


async def test_why_a_connection_ended_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gaocache")

    def calm_down(connection: OddConnection, _call: ServerCall, _message: bytes) -> None:
        connection.session.connection.fail(ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "slowly"))
        connection.flush()
        connection.transport.close()

    async with odd_node(calm_down) as node, channel_to(node.address) as channel:
        found = await got(channel)
    assert isinstance(found, PeerUnavailable)
    (record,) = caplog.records
    assert record.getMessage().endswith("it was ended with ENHANCE_YOUR_CALM: 'slowly'")


async def test_closing_during_a_dial_can_be_cancelled() -> None:
    with full() as address:
        channel = Channel(address)
        waiting = asyncio.create_task(got(channel))
        await settled()
        closing = asyncio.create_task(channel.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await channel.aclose()
        assert isinstance(await waiting, PeerUnavailable)
