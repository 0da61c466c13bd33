"""Both ends over TLS and over Unix sockets, on each event loop."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
import uvloop
from fake_participant import FakeParticipant, ask, hit, outcomes
from hpack import Decoder

from cache_core import PeerUnavailable
from cache_core.address import Address
from cache_core.rpc.channel import GET, Channel
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.http2.framing.codes import FRAME_HEAD_BYTES, HEADERS, PREFACE
from cache_core.rpc.service import Service
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.node import server as transport_server
from cache_core.rpc.transport.node.server import Server
from cache_core.rpc.transport.way import Way
from cache_core.rpc.wire.get import read_response, write_request

AUTHORITY = trustme.CA()

loops = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
NewLoop = Callable[[], asyncio.AbstractEventLoop]


def servers(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(list(protocols))
    return context


def clients(*, trusts: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trusts:
        AUTHORITY.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    return context


async def asked(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> object:
    """Return the outcome of a get over TLS."""
    server = Server(Address("127.0.0.1", 0), tls=server_tls)
    address = server.bind()
    await server.start(Service(FakeParticipant({"k": hit()})))
    channel = Channel(address, tls=client_tls)
    try:
        return (await outcomes(channel, [ask("k")]))[0]
    finally:
        await channel.aclose()
        await server.stop(1)


def run(new_loop: NewLoop, outcome: object) -> object:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(outcome)  # type: ignore[arg-type] # a coroutine


@loops
def test_a_call_over_tls_is_answered(new_loop: NewLoop) -> None:
    found = run(new_loop, asked(servers("h2"), clients()))
    assert getattr(found, "data", found) == hit().data


@loops
def test_a_node_that_is_not_trusted_is_not_asked(new_loop: NewLoop) -> None:
    assert isinstance(run(new_loop, asked(servers("h2"), clients(trusts=False))), PeerUnavailable)


@loops
def test_a_node_that_does_not_offer_http2_is_not_asked(new_loop: NewLoop) -> None:
    assert isinstance(run(new_loop, asked(servers("http/1.1"), clients())), PeerUnavailable)


@loops
def test_a_call_over_a_unix_socket_is_answered(new_loop: NewLoop, tmp_path: Path) -> None:
    path = tmp_path / "node.sock"

    async def get() -> bytes:
        server = Server(Address("127.0.0.1", 0))
        server.bind_path(path)
        await server.start(Service(FakeParticipant({"k": hit()})))
        way = Way(path)
        head = timed(request_block(GET, "localhost"), 5)
        data, _ = await Answer(way, head, write_request("g", "k")).wait()
        await way.aclose()
        await server.stop(1)
        return read_response(data)

    assert run(new_loop, get()) == hit().data


async def scheme_of_a_call(tls: ssl.SSLContext | None, client_tls: ssl.SSLContext | None) -> bytes:
    """Return the scheme that the header of a client's call names."""
    found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(PREFACE))
        while not found.done():
            head = await reader.readexactly(FRAME_HEAD_BYTES)
            payload = await reader.readexactly(int.from_bytes(head[:3]))
            if head[3] == HEADERS:
                found.set_result(dict(Decoder().decode(payload, raw=True))[b":scheme"])
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    channel = Channel(Address(*server.sockets[0].getsockname()), tls=client_tls)
    asking = asyncio.create_task(outcomes(channel, [ask("k")]))
    scheme = await found
    await asking
    await channel.aclose()
    server.close()
    return scheme


@loops
def test_a_call_names_the_scheme_that_it_goes_by(new_loop: NewLoop) -> None:
    assert run(new_loop, scheme_of_a_call(servers("h2"), clients())) == b"https"
    assert run(new_loop, scheme_of_a_call(None, None)) == b"http"


async def silence() -> bytes:
    """Return what a node says to a client that says nothing."""
    server = Server(Address("127.0.0.1", 0), tls=servers("h2"))
    address = server.bind()
    await server.start(Service(FakeParticipant()))
    reader, writer = await asyncio.open_connection(*address)
    async with asyncio.timeout(30):
        said = await reader.read()
    writer.close()
    await server.stop(1)
    return said


@loops
def test_a_client_that_begins_no_handshake_is_cut_off(
    new_loop: NewLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_server, "HANDSHAKE_SECONDS", 0.05)
    assert run(new_loop, silence()) == b""
