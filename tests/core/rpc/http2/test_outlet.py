"""What is sent: all of it, in its order, and never more than the other end takes."""

from typing import Final, NamedTuple, TypeAlias

import pytest
from http2.ends import ServerEnd
from http2.field_writer import request, trailers
from http2.frame_writer import headers, read_frames, rst_stream, window_update
from http2.frame_writer import settings as settings_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    END_STREAM,
    HEADERS,
    RST_STREAM,
    ErrorCode,
    Setting,
)

LEAST_MAX_FRAME: Final = 1 << 14


class Send(NamedTuple):
    """Data for a stream, by the place of the stream."""

    place: int
    size: int
    end: bool = False


class Finish(NamedTuple):
    """The trailers of a stream."""

    place: int


class Grant(NamedTuple):
    """A window that grows: a stream's, or the connection's where the place is None."""

    place: int | None
    more: int


class Initial(NamedTuple):
    """A new initial window."""

    size: int


class MaxFrame(NamedTuple):
    """How large frames may be from now on."""

    size: int


class GiveUp(NamedTuple):
    """A stream that the other end resets."""

    place: int


Act: TypeAlias = Send | Finish | Grant | Initial | MaxFrame | GiveUp

PLACES: Final = st.integers(0, 2)
SIZES: Final = st.sampled_from([0, 1, 5, 100, 16_384, 16_385, 40_000, 70_000])
ACTS: Final = st.one_of(
    st.builds(Send, PLACES, SIZES, st.booleans()),
    st.builds(Send, PLACES, SIZES),
    st.builds(Finish, PLACES),
    st.builds(Grant, st.one_of(st.none(), PLACES), st.sampled_from([1, 7, 100, 20_000, 100_000])),
    st.builds(Initial, st.sampled_from([0, 1, 100, 65_535, 200_000])),
    st.builds(MaxFrame, st.sampled_from([LEAST_MAX_FRAME, 20_000, 1 << 20])),
    st.builds(GiveUp, PLACES),
)


class Reader:
    """The other end as it counts: what it allows, and what has come of it."""

    def __init__(self) -> None:
        self.server = ServerEnd()
        self.streams = {}
        self.window = DEFAULT_WINDOW
        self.initial = DEFAULT_WINDOW
        self.largest = LEAST_MAX_FRAME
        for number in (1, 3, 5):
            self.server.takes(headers(number, request()))
            self.streams[number] = self.server.connection.streams[number]
        self.windows = dict.fromkeys(self.streams, DEFAULT_WINDOW)
        self.sent = dict.fromkeys(self.streams, b"")
        self.come = dict.fromkeys(self.streams, b"")
        self.has_sent_all: set[int] = set()
        self.has_ended: set[int] = set()
        self.given_up: set[int] = set()
        self.count = 0

    def act(self, act: Act) -> None:
        """Have one of the ends do something, and look at what comes of it."""
        outlet = self.server.connection.outlet
        if isinstance(act, Send | Finish):
            number = 1 + 2 * act.place
            if number in self.has_sent_all | self.given_up:
                return
            if isinstance(act, Finish):
                outlet.headers(self.streams[number], trailers(), end=True)
            else:
                outlet.data(self.streams[number], self._data(number, act.size), end=act.end)
            if isinstance(act, Finish) or act.end:
                self.has_sent_all.add(number)
        elif isinstance(act, Grant):
            if act.place is None:
                self.window += act.more
                self.server.connection.receive(window_update(0, act.more))
            else:
                self.windows[1 + 2 * act.place] += act.more
                self.server.connection.receive(window_update(1 + 2 * act.place, act.more))
        elif isinstance(act, GiveUp):
            self.given_up.add(1 + 2 * act.place)
            self.server.connection.receive(rst_stream(1 + 2 * act.place))
        elif isinstance(act, Initial):
            for number in self.windows:
                self.windows[number] += act.size - self.initial
            self.initial = act.size
            said = settings_of({Setting.INITIAL_WINDOW_SIZE: act.size})
            self.server.connection.receive(said)
        else:
            self.largest = max(self.largest, act.size)
            self.server.connection.receive(settings_of({Setting.MAX_FRAME_SIZE: act.size}))
        self.look()

    def look(self) -> None:
        """Take what was sent, and hold it against what was allowed."""
        for frame in read_frames(self.server.connection.outlet.take()):
            number = frame.stream
            if frame.kind in (DATA, HEADERS):
                assert number not in self.has_ended, "nothing comes behind the end"
                if frame.flags & END_STREAM:
                    self.has_ended.add(number)
            if frame.kind != DATA:
                assert frame.kind != RST_STREAM
                continue
            size = len(frame.payload)
            assert size <= self.largest
            self.windows[number] -= size
            self.window -= size
            assert size == 0 or (self.windows[number] >= 0 and self.window >= 0)
            self.come[number] += frame.payload
            assert self.sent[number].startswith(self.come[number])

    def take_all(self) -> None:
        """Grant what is left to come, as one that reads everything would."""
        self.act(Initial(200_000))
        for _ in range(400):
            if not self.server.connection.outlet.queued:
                return
            self.act(Grant(None, 40_000))
            for place in range(3):
                if 1 + 2 * place not in self.given_up | self.has_ended:
                    self.act(Grant(place, 40_000))
        raise AssertionError("something waits though there is room")

    def _data(self, number: int, size: int) -> bytes:
        self.count += 1
        data = (b"%d:%d " % (number, self.count) * (size // 3 + 1))[:size]
        self.sent[number] += data
        return data


def played(acts: list[Act]) -> Reader:
    """Play `acts`, then take all that is left."""
    reader = Reader()
    for act in acts:
        reader.act(act)
    reader.take_all()
    return reader


def assert_all_came(reader: Reader) -> None:
    for number in reader.streams:
        if number not in reader.given_up:
            assert reader.come[number] == reader.sent[number]
            assert (number in reader.has_ended) is (number in reader.has_sent_all)
    outlet = reader.server.connection.outlet
    assert outlet.queued == 0
    assert outlet.stalled(-1) == []
    assert set(reader.server.connection.streams) == (
        set(reader.streams) - reader.has_ended - reader.given_up
    )
    assert reader.server.fault is None


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTS, max_size=25))
def test_all_comes_in_its_order_whatever_the_windows(acts: list[Act]) -> None:
    assert_all_came(played(acts))


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=4_000, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_all_comes_in_its_order_however_long_one_looks(acts: list[Act]) -> None:
    assert_all_came(played(acts))


def test_streams_take_turns_where_the_connections_window_is_short() -> None:
    """One that sends much does not starve one that sends little."""
    reader = Reader()
    reader.act(Initial(1 << 22))
    reader.act(Send(0, 1 << 21, end=True))
    reader.act(Send(1, 1 << 20, end=True))
    for _ in range(40):
        reader.act(Grant(None, 60_000))
    assert 3 in reader.has_ended
    assert 1 not in reader.has_ended


def test_a_stream_of_which_nothing_is_taken_is_told_by_its_time() -> None:
    reader = Reader()
    reader.act(Send(0, 70_000))
    reader.server.clock.tick(10)
    outlet = reader.server.connection.outlet
    assert [stream.number for stream in outlet.stalled(10)] == [1]
    assert [stream.number for stream in outlet.stalled(11)] == []
    reader.act(Grant(0, 1))
    assert [stream.number for stream in outlet.stalled(10)] == [1]
    reader.act(Grant(None, 1))
    assert outlet.stalled(10) == []


def test_a_stream_that_is_ended_is_forgotten_with_its_queue() -> None:
    reader = Reader()
    reader.act(Send(0, 70_000))
    assert reader.server.connection.outlet.queued == 70_000 - DEFAULT_WINDOW
    reader.server.connection.give_up(reader.streams[1], ErrorCode.CANCEL, "too slow")
    assert reader.server.connection.outlet.queued == 0
    assert reader.server.heard.reports[-1] == ("reset", 1, ErrorCode.CANCEL, "too slow")


def test_the_first_header_says_that_there_is_no_table() -> None:
    """RFC 7541, section 6.3; the second need not say it again."""
    server = ServerEnd(answers=True)
    first, *_ = server.takes(headers(1, request()))
    second, *_ = server.takes(headers(3, request()))
    assert first.payload == b"\x20" + second.payload


def test_a_large_header_goes_out_in_as_many_frames_as_it_needs() -> None:
    server = ServerEnd()
    server.takes(headers(1, request()))
    server.connection.outlet.headers(server.connection.streams[1], bytes(40_000), end=True)
    sent = server.sends()
    assert [(each.kind, each.flags, len(each.payload)) for each in sent] == [
        (1, 1, LEAST_MAX_FRAME),
        (9, 0, LEAST_MAX_FRAME),
        (9, 4, 40_001 - 2 * LEAST_MAX_FRAME),
    ]
