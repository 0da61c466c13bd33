"""Recorded conversations with mistakes in them: each ends in an answer or a fault, never otherwise.

An exception of another kind would fail the test, as would output or memory without bound.
"""

import random
from collections.abc import Callable
from typing import Final

import pytest
from http2.ends import ClientEnd, End, ServerEnd
from http2.frame_writer import ping, read_frames
from http2.mutations import frames_of, mutated, pieces
from http2.recorded import Recording, grpcio_recording, our_recording

from cache_core.rpc.http2.framing.codes import GOAWAY, PING

MOST_WRITTEN: Final = 2_000_000
"""More than any of the recorded answers, and what a mistake may add to them."""

FEW: Final = 250
MANY: Final = 60_000


def new_server() -> End:
    return ServerEnd(answers=True, hello=False)


def new_client() -> End:
    return ClientEnd(asks=7, greeting=False)


def assert_borne(new_end: Callable[[], End], said: bytes, seed: int, count: int) -> None:
    """Say `said` to ends of one kind, with other mistakes each time."""
    parts = frames_of(said)
    for number in range(seed, seed + count):
        rng = random.Random(number)
        end = new_end()
        connection = end.connection
        for piece in pieces(mutated(parts, rng), rng):
            connection.receive(piece)
            if connection.has_failed:
                break
        written = connection.outlet.take()
        assert len(written) < MOST_WRITTEN, number
        sent = read_frames(written)
        assert connection.has_failed is (sent[-1].kind == GOAWAY if sent else False), number
        assert len(connection.streams) <= 7 or not isinstance(end, ClientEnd), number
        if not connection.has_failed:
            assert_answers(end, number)


def assert_answers(end: End, number: int) -> None:
    """Say one more thing to an end that has not failed: it is answered, or waited for.

    A frame that was cut short takes in what comes next, as a part of itself.
    """
    answered = False
    for _ in range(70_000 // 17):
        end.connection.receive(ping())
        answered = any(each.kind == PING for each in read_frames(end.connection.outlet.take()))
        if answered or end.connection.has_failed:
            return
    assert answered, number


@pytest.mark.parametrize("seed", [0, 1_000_000])
def test_our_conversation_with_mistakes(seed: int) -> None:
    recording = our_recording()
    assert_borne(new_server, recording.to_server, seed, FEW)
    assert_borne(new_client, recording.to_client, seed, FEW)


async def test_grpcios_conversation_with_mistakes() -> None:
    recording = await grpcio_recording()
    assert_borne(new_server, recording.to_server, 0, FEW)
    assert_borne(new_client, recording.to_client, 0, FEW)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_conversations_with_many_mistakes() -> None:
    for recording in (our_recording(), await grpcio_recording()):
        assert_borne(new_server, recording.to_server, 2_000_000, MANY)
        assert_borne(new_client, recording.to_client, 2_000_000, MANY)


async def test_the_recordings_are_whole() -> None:
    """A conversation without mistakes has no fault, or the others would try little."""
    for recording in (our_recording(), await grpcio_recording()):
        assert_faultless(recording)


def assert_faultless(recording: Recording) -> None:
    server, client = new_server(), new_client()
    server.takes(recording.to_server)
    client.takes(recording.to_client)
    assert server.fault is None
    assert client.fault is None
    for end in (server, client):
        assert sum(report[0] == "headers" for report in end.heard.reports) >= 4
