"""Recorded conversations with mistakes in them: each ends in an answer or a fault, never otherwise.

An exception would fail the test, as would output or memory without bound.
"""

from typing import Final

import pytest
from http2.ends import ClientEnd, ServerEnd
from http2.fuzz import FEW, PARTS, assert_borne, many
from http2.recorded import ASKED, LARGEST, RECORDERS, WINDOW, Recorder

from cache_core.rpc.http2.bounds import Bounds

MANY: Final = 35_000
"""How many inputs each end takes in each part of a slow run."""


class Server(ServerEnd):
    """A server that answers each request."""

    def __init__(self) -> None:
        super().__init__(Bounds(window=WINDOW), hello=False)
        self.heard.asked = lambda stream: self.answer(stream, bytes(2 * WINDOW))

    def receive(self, data: bytes) -> None:
        self.connection.receive(data)

    def check(self) -> None:
        for stream in self.connection.streams.values():
            assert not stream.is_closed
            assert not (stream.has_ended and stream.has_sent_all and not stream.queued)


class Client(ClientEnd):
    """A client that has asked all that was recorded."""

    def __init__(self) -> None:
        bounds = Bounds(streams=0, window=LARGEST)
        super().__init__(bounds, asks=ASKED, greeting=False)

    def receive(self, data: bytes) -> None:
        self.connection.receive(data)

    def check(self) -> None:
        assert len(self.connection.streams) <= ASKED
        for stream in self.connection.streams.values():
            assert not stream.is_closed


BOTH: Final = pytest.mark.parametrize("recorded", RECORDERS)


@BOTH
async def test_a_conversation_with_mistakes(recorded: Recorder) -> None:
    recording = await recorded()
    assert_borne(Server, recording.to_server, range(FEW))
    assert_borne(Client, recording.to_client, range(FEW))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
@BOTH
async def test_a_conversation_with_many_mistakes(recorded: Recorder, part: int) -> None:
    recording = await recorded()
    assert_borne(Server, recording.to_server, many(part, MANY))
    assert_borne(Client, recording.to_client, many(part, MANY))


@BOTH
async def test_a_recording_is_whole(recorded: Recorder) -> None:
    """A conversation without mistakes has no fault, or the others would try little."""
    recording = await recorded()
    server, client = Server(), Client()
    server.takes(recording.to_server)
    client.takes(recording.to_client)
    assert server.fault is None
    assert client.fault is None
    for end in (server, client):
        assert sum(report[0] == "headers" for report in end.heard.reports) >= 3
