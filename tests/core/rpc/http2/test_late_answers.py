"""Answers to calls that were given up while they were on their way."""

from typing import Final

import pytest
from http2.ends import ClientEnd
from http2.field_writer import answer, trailers
from http2.frame_writer import data, headers

from cache_core.rpc.http2.framing.codes import ErrorCode

GIVEN_UP: Final = 700


@pytest.mark.parametrize("ended", [0, 500], ids=["all", "the last ones"])
def test_a_connection_outlives_many_calls_that_are_given_up_at_once(ended: int) -> None:
    client = ClientEnd(asks=GIVEN_UP + ended)
    numbers = [stream.number for stream in client.streams]
    for stream in client.streams:
        client.connection.reset(stream, ErrorCode.CANCEL)
    client.sends()
    for number in numbers[ended:]:
        client.takes(
            headers(number, answer(), end=False)
            + data(number, b"\0\0\0\0\1x")
            + headers(number, trailers())
        )
    assert not client.connection.has_failed
    stream = client.ask()
    client.takes(headers(stream.number, answer(), end=False) + headers(stream.number, trailers()))
    assert stream.is_closed
    assert not client.connection.has_failed
