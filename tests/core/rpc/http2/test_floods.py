"""Floods end the connection within a bounded number of frames; what is held for them is bounded."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, count, cycle, repeat
from typing import Final, NamedTuple

import pytest
from http2.ends import ClientEnd, End, ServerEnd, of_connection
from http2.field_writer import answer, block, field, integer, request
from http2.frame_writer import (
    continuation,
    data,
    frame,
    goaway,
    headers,
    ping,
    priority,
    rst_stream,
    settings,
    settings_ack,
    window_update,
)

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import GOAWAY, PRIORITY, RST_STREAM, ErrorCode
from cache_core.rpc.http2.intake import MAX_CONTINUATIONS
from cache_core.rpc.http2.patience import A_SECOND, MOST

CALM: Final = of_connection(ErrorCode.ENHANCE_YOUR_CALM)
REQUEST: Final = request()
OPEN: Final = headers(1, REQUEST, end=False)
ASKED: Final = headers(1, REQUEST)
EARLY: Final = headers(1, block([(b":status", b"103")]), end=False)
HELD_BYTES: Final = 1 << 20
"""What a connection may hold after a flood, and what may wait to be written."""


def numbers() -> Iterator[int]:
    """Return the numbers of a client's streams."""
    return count(1, 2)


def begun_and_reset(body: bytes) -> Iterator[bytes]:
    """Ask and give up, again and again, each time with a little data."""
    for number in numbers():
        yield headers(number, REQUEST, end=False) + data(number, body) + rst_stream(number)


class Flood(NamedTuple):
    """What is said again and again, and the weakness in other servers that it is known for."""

    what: str
    frames: Callable[[], Iterator[bytes]]


FLOODS: Final = (
    Flood("CVE-2019-9512: pings", lambda: repeat(ping())),
    Flood("CVE-2019-9514: requests that get a reset", lambda: (
        headers(number, b"") for number in numbers())),
    Flood("CVE-2019-9514: headers of a stream that was reset by us", lambda: chain(
        [headers(1, b"")], repeat(headers(1, REQUEST)))),
    Flood("CVE-2019-9515: settings", lambda: repeat(settings())),
    Flood("CVE-2019-9515: settings that say something", lambda: repeat(settings({4: 100, 3: 9}))),
    Flood("CVE-2019-9516: headers without names", lambda: (
        headers(number, field(b"", b"") * 9) for number in numbers())),
    Flood("CVE-2019-9518: empty frames of data", lambda: chain([OPEN], repeat(data(1)))),
    Flood("CVE-2019-9518: frames of padding", lambda: chain([OPEN], repeat(data(1, padding=9)))),
    Flood("CVE-2019-9513: priorities", lambda: repeat(priority(1))),
    Flood("CVE-2019-9511: windows of one byte", lambda: chain(
        [settings({4: 0}), ASKED], repeat(window_update(1, 1)))),
    Flood("CVE-2019-9511: a connection's window", lambda: repeat(window_update(0, 1))),
    Flood("CVE-2019-9511: windows that open and shut", lambda: chain(
        [ASKED], cycle([settings({4: 0}), settings({4: 1})]))),
    Flood("CVE-2023-44487: rapid resets", lambda: begun_and_reset(b"")),
    Flood("CVE-2023-44487: rapid resets with data", lambda: begun_and_reset(bytes(2000))),
    Flood("CVE-2023-44487: resets of nothing", lambda: chain([ASKED], repeat(rst_stream(1)))),
    Flood("CVE-2024-27316: continuations", lambda: chain(
        [headers(1, REQUEST, whole=False)], repeat(continuation(1, b"", whole=False)))),
    Flood("CVE-2024-27316: continuations that say something", lambda: chain(
        [headers(1, REQUEST, whole=False)],
        repeat(continuation(1, field(b"x", b"y" * 900), whole=False)))),
    Flood("CVE-2025-8671: windows that grow by nothing", lambda: (
        headers(number, REQUEST, end=False) + data(number, bytes(2000)) + window_update(number, 0)
        for number in numbers())),
    Flood("CVE-2025-8671: windows that are too large", lambda: (
        headers(number, REQUEST) + window_update(number, (1 << 31) - 1) for number in numbers())),
    Flood("CVE-2025-8671: data of requests that have ended", lambda: (
        headers(number, REQUEST) + data(number, b"x") for number in numbers())),
    Flood("CVE-2025-8671: priorities of six bytes", lambda: (
        headers(number, REQUEST) + frame(PRIORITY, 0, number, bytes(6)) for number in numbers())),
    Flood("CVE-2025-8671: priorities by themselves", lambda: (
        headers(number, REQUEST) + priority(number, number) for number in numbers())),
    Flood("CVE-2025-8671: wrong lengths", lambda: (
        headers(number, request((b"content-length", b"1"))) for number in numbers())),
    Flood("acknowledgements", lambda: repeat(settings_ack())),
    Flood("answers to pings", lambda: repeat(ping(ack=True))),
    Flood("goodbyes", lambda: repeat(goaway())),
    Flood("unknown frames", lambda: repeat(frame(0xBE, 0, 1, b"x"))),
    Flood("requests that are refused", lambda: (headers(number, REQUEST) for number in numbers())),
)  # fmt: skip

OF_A_SERVER: Final = (
    Flood("first answers", lambda: repeat(EARLY)),
    Flood("pings", lambda: repeat(ping())),
    Flood("empty frames of data", lambda: chain(
        [headers(1, answer(), end=False)], repeat(data(1)))),
    Flood("data of an answer that has ended", lambda: chain(
        [headers(1, answer())], repeat(data(1, b"x")))),
    Flood("settings", lambda: repeat(settings({3: 1}))),
    Flood("goodbyes", lambda: repeat(goaway(1))),
    Flood("windows", lambda: repeat(window_update(0, 1))),
)  # fmt: skip


def said_until_it_fails(end: End, frames: Iterator[bytes], most: int) -> int:
    """Say `frames` until the end has had enough of them; return how many it took.

    Nothing of its answers is read meanwhile.
    """
    for said, each in enumerate(frames):
        end.connection.receive(each)
        if end.connection.has_failed:
            return said
        if said >= most:
            break
    raise AssertionError("it bears it for ever")


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.what)
def test_a_flood_ends_the_connection(flood: Flood) -> None:
    server = ServerEnd(Bounds(streams=2000))
    said_until_it_fails(server, flood.frames(), round(MOST) * 2 + 10)
    written = sum(len(part) for part in server.connection.outlet.parts)
    assert written < 100 * MOST, "no answer to a frame is large"
    *_, last = server.sends()
    assert (last.kind, last.payload[4:8]) == (GOAWAY, bytes((0, 0, 0, 11)))


@pytest.mark.slow
@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.what)
def test_a_flood_does_not_fill_the_memory(flood: Flood) -> None:
    server = ServerEnd(Bounds(streams=2000))
    tracemalloc.start()
    try:
        said_until_it_fails(server, flood.frames(), round(MOST) * 2 + 10)
        server.heard.reports.clear()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * HELD_BYTES


@pytest.mark.parametrize("flood", OF_A_SERVER, ids=lambda flood: flood.what)
def test_a_flood_of_a_servers_ends_the_connection(flood: Flood) -> None:
    client = ClientEnd()
    said_until_it_fails(client, flood.frames(), round(MOST) * 2 + 10)
    *_, last = client.sends()
    assert (last.kind, last.payload[4:8]) == (GOAWAY, bytes((0, 0, 0, 11)))


def test_a_header_of_too_many_frames_is_refused_before_its_end() -> None:
    """CVE-2024-27316."""
    server = ServerEnd()
    more = continuation(1, b"", whole=False)
    server.takes(headers(1, REQUEST, whole=False) + more * MAX_CONTINUATIONS)
    assert server.fault is None
    server.takes(more)
    assert server.fault == CALM


def test_a_small_block_that_means_a_large_header_is_refused() -> None:
    """HPACK's bomb: one large field in the table, of which each place is one byte."""
    server = ServerEnd()
    server.takes(headers(1, REQUEST + field(b"x", b"y" * 4000, first=0x40)))
    assert not server.connection.has_failed
    tracemalloc.start()
    try:
        server.takes(headers(3, REQUEST + b"\xbe" * 16_000))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert server.fault == CALM
    assert most < HELD_BYTES


def test_a_block_of_nothing_but_sizes_of_the_table_is_refused_at_once() -> None:
    """RFC 7541, section 4.2: two of them are all that there is use for."""
    server = ServerEnd()
    server.takes(headers(1, integer(4096, 5, 0x20) * 5000))
    assert server.fault == of_connection(ErrorCode.COMPRESSION_ERROR)


def test_a_reset_for_each_frame_is_not_sent_to_a_stream_that_was_reset() -> None:
    """CVE-2019-9514: what comes for it is passed over, and counted."""
    server = ServerEnd()
    server.takes(headers(1, b""))
    sent = server.takes(data(1, b"x") * round(MOST))
    assert [each.kind for each in sent if each.kind == RST_STREAM] == []


def test_time_gives_patience_back() -> None:
    server = ServerEnd()
    server.takes(ping() * round(MOST - 100))
    server.clock.tick(10)
    server.takes(ping() * round(10 * A_SECOND))
    assert server.fault is None
    server.takes(ping() * 200)
    assert server.fault == CALM


def test_a_clock_that_stands_still_gives_none_back() -> None:
    server = ServerEnd()
    server.takes(ping() * round(MOST + 1))
    assert server.fault == CALM
