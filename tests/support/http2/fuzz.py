"""What is said to an end with mistakes in it, and what has to hold of the end after each time."""

import gc
import random
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, Final, Protocol

from http2.frame_writer import ping, read_frames
from http2.mutations import frames_of, missing, mutated, pieces

from cache_core.rpc.http2.control import Control
from cache_core.rpc.http2.framing.codes import GOAWAY, PING

FEW: Final = 250
"""How many inputs each end takes in an ordinary run."""

PARTS: Final = 5
"""How many tests share the many inputs of a slow run: a million, over both layers and all ends."""

MOST_WRITTEN: Final = 2_000_000
"""More than any of the recorded answers, and what a mistake may add to them."""

MOST_HELD: Final = 1 << 20
"""More memory than any of the recorded conversations takes, and what a mistake may add to it."""

MEASURED: Final = 500
"""Of so many inputs, one is measured for the memory that it takes."""

MOST_LEFT: Final = 20_000
"""How many blocks of memory all inputs together may leave, in caches that have a bound."""


class Subject(Protocol):
    """An end of a connection that something is said to."""

    @property
    def connection(self) -> Control[Any, Any]:
        """The connection, which has begun."""

    def receive(self, data: bytes) -> None:
        """Take bytes that came, and do all that they lead to."""

    def check(self) -> None:
        """Raise AssertionError where what the end keeps contradicts itself."""


def many(part: int, count: int) -> range:
    """Return the numbers of `count` inputs, other ones for each part."""
    return range((part + 1) * 1_000_000, (part + 1) * 1_000_000 + count)


def assert_borne(new: Callable[[], Subject], said: bytes, numbers: range) -> None:
    """Say `said` to one new end after another, with the mistakes of another number each time.

    Each has to take it, or to end a stream or the connection for it, within bounds. An exception
    of any kind fails the test.
    """
    parts = frames_of(said)
    blocks: int | None = None
    for place, number in enumerate(numbers):
        rng = random.Random(number)
        mistaken = mutated(parts, rng)
        try:
            held = _say(new, mistaken, rng, is_measured=place % MEASURED == 0)
        except BaseException as error:
            error.add_note(f"number {number}, said {mistaken.hex()}")
            raise
        assert held < MOST_HELD, number
        if place == MEASURED:
            blocks = _blocks()
    assert blocks is None or _blocks() - blocks < MOST_LEFT


def _say(new: Callable[[], Subject], said: bytes, rng: random.Random, *, is_measured: bool) -> int:
    """Say it to a new end, and look at that; return how many bytes it held, if that is measured."""
    if is_measured:
        tracemalloc.start()
    try:
        subject = new()
        for piece in pieces(said, rng):
            subject.receive(piece)
            if subject.connection.has_failed:
                break
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    connection = subject.connection
    written = connection.outlet.take()
    assert len(written) < MOST_WRITTEN
    sent = read_frames(written)
    assert connection.has_failed is (sent[-1].kind == GOAWAY if sent else False)
    queued = sum(stream.queued for stream in connection.streams.values())
    assert connection.outlet.queued == queued
    if not connection.has_failed:
        _assert_answers(subject, missing(said))
    subject.check()
    return held


def _assert_answers(subject: Subject, lacking: int) -> None:
    """Say one more thing to an end that has not failed, behind what its last frame lacks."""
    subject.receive(bytes(lacking))
    subject.receive(ping())
    if not subject.connection.has_failed:
        sent = read_frames(subject.connection.outlet.take())
        assert any(each.kind == PING for each in sent)


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()
