"""What honest peers do is borne, however long they do it."""

import pytest
from http2.ends import ClientEnd, ServerEnd
from http2.field_writer import answer, field, request, trailers
from http2.frame_writer import (
    data,
    headers,
    ping,
    priority,
    rst_stream,
    settings,
    settings_ack,
    window_update,
)

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import DATA, ErrorCode

REQUEST = request()


def test_a_ping_each_second_for_an_hour() -> None:
    server = ServerEnd()
    for _ in range(3600):
        server.clock.tick(1)
        assert len(server.takes(ping())) == 1


def test_ten_thousand_calls_at_once_on_one_connection() -> None:
    """Each with a ping and a window update, as grpc-go measures the way to the server."""
    server = ServerEnd(answers=True)
    for number in range(1, 20_000, 2):
        server.takes(headers(number, REQUEST) + window_update(0, 100) + ping())
    assert server.fault is None
    assert sum(each[0] == "headers" for each in server.heard.reports) == 10_000
    assert server.connection.streams == {}


def test_ten_thousand_answers_with_a_ping_and_a_window_update_each() -> None:
    """The same, from a server of grpc-go to our client."""
    client = ClientEnd(asks=0)
    for number in range(1, 20_000, 2):
        client.ask()
        said = (
            headers(number, answer(), end=False) + data(number, b"x") + headers(number, trailers())
        )
        client.takes(window_update(0, 5) + ping() + said)
    assert client.fault is None
    assert client.connection.streams == {}


def test_a_small_value_by_windows_of_one_byte() -> None:
    server = ServerEnd()
    server.takes(settings({4: 0}) + headers(1, REQUEST))
    server.answer(server.connection.streams[1], bytes(range(250)))
    sent = [each for _ in range(250) for each in server.takes(window_update(1, 1))]
    assert b"".join(each.payload for each in sent if each.kind == DATA) == bytes(range(250))
    assert server.fault is None
    assert server.connection.streams == {}


def test_a_call_given_up_now_and_then() -> None:
    """Each second a hundred calls, of which twenty are given up."""
    server = ServerEnd()
    number = 1
    for _ in range(60):
        server.clock.tick(1)
        for place in range(100):
            server.takes(headers(number, REQUEST))
            if place % 5:
                server.answer(server.connection.streams[number])
            else:
                server.takes(rst_stream(number))
            number += 2
    assert server.fault is None


def test_a_thousand_calls_that_are_given_up_together() -> None:
    server = ServerEnd(Bounds(streams=1000))
    numbers = range(1, 2000, 2)
    server.takes(b"".join(headers(number, REQUEST) for number in numbers))
    server.takes(b"".join(rst_stream(number) for number in numbers))
    assert server.fault is None


def test_a_large_upload_in_small_frames() -> None:
    server = ServerEnd()
    server.takes(headers(1, REQUEST, end=False))
    for _ in range(20_000):
        server.takes(data(1, b"some bytes of it"))
    server.takes(data(1, end=True))
    assert server.fault is None
    assert len(server.heard.bodies()[1]) == 320_000


def test_a_large_answer_whose_windows_are_opened_as_it_is_read() -> None:
    server = ServerEnd()
    server.takes(headers(1, REQUEST))
    server.answer(server.connection.streams[1], bytes(1 << 22))
    server.sends()
    left = (1 << 22) - 65_535
    while left > 0:
        grant = window_update(0, 4096) + window_update(1, 4096)
        left -= sum(len(each.payload) for each in server.takes(grant) if each.kind == DATA)
    assert server.fault is None
    assert server.connection.streams == {}


def test_a_request_that_was_refused_on_its_way_is_no_flood() -> None:
    """An answer before the end of a request, and the rest of it on its way."""
    server = ServerEnd()
    for number in range(1, 2000, 2):
        server.takes(headers(number, REQUEST, end=False))
        server.answer(server.connection.streams[number])
        server.takes(data(number, bytes(100)) + data(number, bytes(100), end=True))
    assert server.fault is None


def test_a_client_that_gives_priorities_to_its_requests() -> None:
    server = ServerEnd(answers=True)
    for number in range(1, 10_000, 2):
        server.takes(priority(number, 0) + headers(number, REQUEST, depends_on=0))
    assert server.fault is None


def test_settings_that_change_now_and_then() -> None:
    server = ServerEnd()
    for _ in range(1000):
        server.clock.tick(1)
        server.takes(settings({4: 1 << 20, 3: 100}) + settings_ack())
    assert server.fault is None


@pytest.mark.parametrize("size", [1000, 16_384])
def test_a_client_gives_up_an_answer_of_which_much_is_on_its_way(size: int) -> None:
    client = ClientEnd()
    client.takes(headers(1, answer(), end=False))
    client.connection.reset(client.streams[0], ErrorCode.CANCEL)
    client.takes(data(1, bytes(size)) * ((1 << 20) // size))
    assert client.fault is not None
    assert client.fault.whose == "stream"
    assert not client.connection.has_failed


def test_a_header_that_is_another_each_time_is_no_flood() -> None:
    server = ServerEnd(answers=True)
    for number in range(1, 2000, 2):
        server.takes(headers(number, REQUEST + field(b"trace", b"%d" % number)))
    assert server.fault is None


def test_calls_that_are_given_up_after_a_while_are_borne_in_their_thousands() -> None:
    """As a gateway gives up what its clients no longer wait for."""
    server = ServerEnd()
    for number in range(1, 40_000, 2):
        server.takes(headers(number, REQUEST))
        server.clock.tick(0.001)
        if number > 20:
            server.takes(rst_stream(number - 20))
    assert server.fault is None
