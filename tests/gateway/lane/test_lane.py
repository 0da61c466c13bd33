"""What the connections of the fast lane share, without sockets."""

from collections.abc import Callable
from contextvars import copy_context

import pytest
from fakes import FakeClock
from lane_server import FakeCluster, FakeNear, Inner, get

from cache_core.trace import NO_TRACE, Trace, current_trace
from cache_core.value import Terms, Value
from gateway.http.fields import Headers
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.lane.lane import Lane
from gateway.lane.memory import LARGE_BYTES, SMALL_BYTES
from gateway.lane.request import Reader
from gateway.middleware.answered import Answered
from gateway.middleware.defaults import with_defaults
from gateway.middleware.running import Running
from gateway.survey.gateway_figures import ANSWERED

SAID: Headers = [(b"date", b"now")]
TRACE = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


class Answers:
    """Answers requests in a Lane, of near copies or of what a node said, as a connection would."""

    def __init__(self) -> None:
        self.near = FakeNear()
        self.answered = Answered()
        self.lane = Lane(
            FakeCluster(),
            self.near,
            Running(Inner()),
            Reader(Limits(), Hosts()),
            with_defaults,
            answered=self.answered,
            clock=FakeClock(),
        )

    def far(self, request: bytes, value: Value) -> None:
        """Answer with what a node said."""
        known = self.lane.read(request)
        assert known is not None
        self.lane.write(request, known, value, said=SAID, close=False)

    def near_by(self, request: bytes) -> bytes:
        """Answer with the near copy, or with the answer that was made of it."""
        written = self.lane.again(request, SAID)
        if written is not None:
            return written
        known = self.lane.read(request)
        assert known is not None
        copy = self.lane.near(known)
        assert copy is not None
        written = b"".join(self.lane.write(request, known, copy.value, said=SAID, close=False))
        self.lane.keep(known, copy, written, SAID)
        return written

    def has_form(self, request: bytes, value: Value) -> bool:
        """Return whether the form of the answer is remembered."""
        known = self.lane.read(request)
        return known is not None and self.lane.remembered_form(known, value) is not None


def typed(data: bytes) -> Value:
    """Return a value whose declared type is as long as `data`."""
    return Value(b"1", terms=Terms(content_type=f"text/plain; x={data.decode()}"))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.mark.parametrize(
    ("size", "most", "query", "made", "times"),
    [
        # The value's bytes, and those of a body or a head that has them again, are held; those of
        # a small answer once more, joined, and the near copy's own.
        (10_000, SMALL_BYTES, "?alt=media", Value, 3),
        (10_000, SMALL_BYTES, "?alt=media", typed, 3),
        (6_000, SMALL_BYTES, "", Value, 4),
        (200_000, LARGE_BYTES, "?alt=media", Value, 1),
        (200_000, LARGE_BYTES, "?alt=media", typed, 3),
        (200_000, LARGE_BYTES, "", Value, 2),
    ],
)
def test_what_is_remembered_is_within_its_bytes(
    answers: Answers,
    size: int,
    most: int,
    query: str,
    made: Callable[[bytes], Value],
    times: int,
) -> None:
    values = {
        get(f"k{number}", query=query): made(b"%d" % number + b"x" * size)
        for number in range(most // (times * size) + 10)
    }
    for request, value in values.items():
        for _ in range(2):
            answers.far(request, value)
    remembered = [request for request, value in values.items() if answers.has_form(request, value)]
    assert 0 < len(remembered) * times * size <= most
    assert list(values)[-1] in remembered


def test_a_traced_request_is_not_remembered(answers: Answers) -> None:
    request = get("Tom", fields=f"traceparent: {TRACE.parent}\r\n")
    for _ in range(3):
        answers.far(request, Value(b"630"))
    assert not answers.has_form(request, Value(b"630"))


def test_what_runs_after_a_request_is_asked_for_is_not_in_its_trace(answers: Answers) -> None:
    known = answers.lane.read(get("Tom", fields=f"traceparent: {TRACE.parent}\r\n"))
    assert known is not None

    def trace_afterwards() -> Trace:
        answers.lane.ask(known, deadline=1, then=lambda _: None)
        return current_trace.get()

    assert copy_context().run(trace_afterwards) == NO_TRACE


def test_what_was_kept_of_a_larger_value_is_let_go(answers: Answers) -> None:
    answers.near.put("Tom", Value(b"x" * 10_000))
    for _ in range(3):
        answers.near_by(get("Tom"))
    known = answers.lane.read(get("Tom"))
    assert known is not None
    assert known.kept is not None
    answers.lane.write(get("Tom"), known, Value(b"y"), said=SAID, close=False)
    assert known.kept is None


def test_a_refusal_is_counted_as_one_each_time(answers: Answers) -> None:
    request = get("Tom", fields="Accept: text/plain\r\n")
    copy = answers.near.put("Tom", Value(b"text"))
    for _ in range(3):
        answers.near_by(request)
    copy.dropped = True
    answers.near.put("Tom", Value(b"\xff"))
    for _ in range(3):
        assert answers.near_by(request).startswith(b"HTTP/1.1 406 ")
    assert answers.answered()[ANSWERED] == {"2xx": 3, "3xx": 0, "4xx": 3, "5xx": 0}


def test_long_requests_are_remembered_within_the_same_bytes(answers: Answers) -> None:
    value = Value(b"630")
    requests = [get("Tom", fields=f"X-Request-Id: {number:03500}\r\n") for number in range(3_000)]
    for request in requests:
        for _ in range(2):
            answers.far(request, value)
    remembered = [request for request in requests if answers.has_form(request, value)]
    # As it came, and as it was read.
    assert 0 < 2 * sum(map(len, remembered)) <= SMALL_BYTES
    assert requests[-1] in remembered
