"""However the bytes are cut into pieces on their way, the listener hears the same."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from http2.ends import ClientEnd, End, Fault, Report, ServerEnd
from http2.field_writer import answer, request, trailers
from http2.frame_writer import (
    GREETING,
    HELLO,
    continuation,
    data,
    goaway,
    headers,
    ping,
    rst_stream,
)
from http2.scripts import TO_CLIENTS, TO_SERVERS
from http2.twin import Step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONVERSATION = (
    HELLO
    + headers(1, request(), end=False)
    + data(1, b"first", padding=3)
    + headers(3, request()[:20], whole=False)
    + continuation(3, request()[20:])
    + ping()
    + data(1, b"last", end=True)
    + headers(5, b"")
    + rst_stream(3)
    + goaway()
)
ANSWERS = (
    GREETING
    + headers(1, answer(), end=False)
    + data(1, b"first")
    + headers(3, answer())
    + data(1, b"last", padding=9)
    + ping()
    + headers(1, trailers())
    + data(1, b"late")
    + goaway(3, 0, b"bye")
)

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def heard(end: End, pieces: Sequence[bytes]) -> tuple[list[Report], Fault | None, bytes]:
    """Return what the listener hears of `pieces`, the fault, and what is said to them."""
    for piece in pieces:
        end.connection.receive(piece)
    said = end.connection.outlet.take()
    return end.heard.reports, end.fault, said


def cut(whole: bytes, places: Sequence[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(whole) + 1) for place in places), len(whole)]
    return [whole[start:end] for start, end in pairwise(at)]


def new_server() -> End:
    return ServerEnd(hello=False)


def new_client() -> End:
    return ClientEnd(asks=2, greeting=False)


@pytest.mark.parametrize(
    ("new_end", "said"),
    [(new_server, CONVERSATION), (new_client, ANSWERS)],
    ids=["server", "client"],
)
@pytest.mark.parametrize("size", [1, 2, 7, 9, 10, 100])
def test_pieces_of_one_size(new_end: type[End], said: bytes, size: int) -> None:
    pieces = [said[start : start + size] for start in range(0, len(said), size)]
    whole = heard(new_end(), [said])
    assert heard(new_end(), pieces) == whole
    assert len(whole[0]) > 5


@pytest.mark.parametrize(
    ("new_end", "said"),
    [(new_server, CONVERSATION), (new_client, ANSWERS)],
    ids=["server", "client"],
)
def test_two_pieces_at_every_place(new_end: type[End], said: bytes) -> None:
    whole = heard(new_end(), [said])
    for place in range(len(said)):
        assert heard(new_end(), [said[:place], said[place:]]) == whole


@settings(EXAMPLES)
@given(TO_SERVERS, st.lists(st.integers(0, 5000), max_size=20))
def test_a_server_hears_the_same(steps: list[Step], places: list[int]) -> None:
    said = b"".join(step for step in steps if isinstance(step, bytes))
    assert heard(new_server(), cut(said, places)) == heard(new_server(), [said])


@settings(EXAMPLES)
@given(TO_CLIENTS, st.lists(st.integers(0, 5000), max_size=20))
def test_a_client_hears_the_same(steps: list[Step], places: list[int]) -> None:
    said = b"".join(step for step in steps if isinstance(step, bytes))
    assert heard(new_client(), cut(said, places)) == heard(new_client(), [said])
