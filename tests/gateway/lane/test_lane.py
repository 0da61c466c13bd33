"""What the connections of the fast lane share, without sockets."""

from collections.abc import Callable

import pytest
from fakes import FakeClock
from lane_server import FakeCluster, FakeNear, Inner, get

from cache_core.value import Terms, Value
from gateway.http.fields import Headers
from gateway.http.limits import Limits
from gateway.lane.lane import Lane
from gateway.lane.memory import LARGE_BYTES, SMALL_BYTES
from gateway.middleware.answered import Answered
from gateway.middleware.defaults import with_defaults
from gateway.middleware.running import Running
from gateway.survey.gateway_figures import ANSWERED

SAID: Headers = [(b"date", b"now")]


class Answers:
    """Answers requests in a Lane, of near copies or of what a node said, as a connection would."""

    def __init__(self) -> None:
        self.near = FakeNear()
        self.answered = Answered()
        self.lane = Lane(
            FakeCluster(),
            self.near,
            Running(Inner()),
            Limits(),
            with_defaults,
            answered=self.answered,
            clock=FakeClock(),
        )

    def far(self, key: str, value: Value) -> None:
        """Answer for `key` with what a node said, as raw bytes."""
        request = get(key, query="?alt=media")
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

    def has_form(self, key: str, value: Value) -> bool:
        """Return whether the form of the answer for `key` is remembered."""
        known = self.lane.read(get(key, query="?alt=media"))
        return known is not None and self.lane.remembered_form(known, value) is not None


def typed(data: bytes) -> Value:
    """Return a value whose declared type is as long as `data`."""
    return Value(b"1", terms=Terms(content_type=f"text/plain; x={data.decode()}"))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.mark.parametrize(("size", "most"), [(10_000, SMALL_BYTES), (200_000, LARGE_BYTES)])
@pytest.mark.parametrize("made", [Value, typed])
def test_what_is_remembered_is_within_its_bytes(
    answers: Answers, size: int, most: int, made: Callable[[bytes], Value]
) -> None:
    values = {
        f"k{number}": made(b"%d" % number + b"x" * size) for number in range(most // size + 10)
    }
    for key, value in values.items():
        for _ in range(2):
            answers.far(key, value)
    remembered = [key for key, value in values.items() if answers.has_form(key, value)]
    assert 0 < len(remembered) * size <= most
    assert list(values)[-1] in remembered


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
