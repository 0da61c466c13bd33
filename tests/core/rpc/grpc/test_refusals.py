"""Calls that a server does not take."""

import gzip

import pytest
from grpc_ends import Ends, FakeCaller

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.messages import PREFIX, prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.literals import block
from cache_core.rpc.http2.stream import Stream

MAX = 1_000
"""The most bytes of a message."""

HELD = 3_000
"""The most bytes that a connection keeps."""


class Sending:
    """Calls of which a test sends each part."""

    def __init__(self) -> None:
        self.ends = Ends(max_message=MAX, max_held=HELD)

    def begin(
        self,
        *parts: bytes,
        path: str = "/s/One",
        more: list[tuple[bytes, bytes]] | None = None,
        head: bytes | None = None,
        end: bool = False,
    ) -> tuple[Stream[ClientCall], FakeCaller]:
        """Begin a call and send `parts` of data; the header has the fields `more`, or is `head`."""
        caller = FakeCaller()
        head = head or request_block(path, "here:1", ()) + block(more or [])
        asked = ClientCall(head, b"", caller)
        outlet = self.ends.client.connection.outlet
        stream = asked.stream = self.ends.client.connection.request(head, asked)
        for place, part in enumerate(parts):
            outlet.data(stream, part, end=end and place == len(parts) - 1)
        if end and not parts:
            outlet.data(stream, b"", end=True)
        self.ends.pump()
        return stream, caller

    def whole(self, *parts: bytes, **given: object) -> Ended:
        """Make a call to its end, and return how it ended."""
        return self.begin(*parts, end=True, **given)[1].end  # type: ignore[arg-type]

    def serves(self) -> bool:
        """Whether the next call on the connection is answered."""
        handler = self.ends.handler
        handler.then = self.ends.server.answer
        _, caller = self.ends.call(b"630")
        self.ends.pump()
        return caller.messages == [b"630"] and not self.ends.owner.faults


@pytest.fixture
def sending() -> Sending:
    return Sending()


@pytest.mark.parametrize("path", ["/s/None", "/", "s/One", "/s/one", "/s/One/"])
@pytest.mark.parametrize("more", [[], [(b"grpc-timeout", b"1S")]])
def test_a_method_that_is_not_known_is_unimplemented(
    sending: Sending, path: str, more: list[tuple[bytes, bytes]]
) -> None:
    end = sending.whole(prefixed(b"x"), path=path, more=more)
    assert (end.code, end.words) == (StatusCode.UNIMPLEMENTED, "Method not found!")
    assert sending.serves()


@pytest.mark.parametrize(
    ("method", "kind", "status"),
    [
        (b"POST", b"text/html", 415),
        (b"POST", b"application/json", 415),
        (b"GET", b"application/grpc", 405),
    ],
)
def test_what_is_no_call_of_grpc_is_answered_in_http(
    sending: Sending, method: bytes, kind: bytes, status: int
) -> None:
    fields = [(b":method", method), (b":scheme", b"http"), (b":path", b"/s/One")]
    stream, caller = sending.begin(head=block([*fields, (b"content-type", kind)]))
    assert caller.end.code is StatusCode.INVALID_ARGUMENT
    assert caller.http_status == status
    assert stream.is_closed
    assert sending.ends.handler.calls == []
    assert sending.serves()


@pytest.mark.parametrize("more", [[], [(b"grpc-timeout", b"1S")]])
@pytest.mark.parametrize("flag", [0, 1])
def test_an_encoding_that_is_not_known_is_unimplemented(
    sending: Sending, flag: int, more: list[tuple[bytes, bytes]]
) -> None:
    data = PREFIX.pack(flag, 3) + b"630"
    end = sending.whole(data, more=[(b"grpc-encoding", b"br"), *more])
    assert (end.code, "br" in end.words) == (StatusCode.UNIMPLEMENTED, True)
    assert sending.ends.handler.calls == []
    assert sending.serves()


@pytest.mark.parametrize("said", [b"", b"1", b"S", b"1.5S", b"-1S", b"123456789S"])
def test_a_timeout_that_is_none_is_refused(sending: Sending, said: bytes) -> None:
    end = sending.whole(prefixed(b"x"), more=[(b"grpc-timeout", said)])
    assert end.code is StatusCode.INTERNAL
    assert sending.serves()


@pytest.mark.parametrize("parts", [(), (b"",)])
def test_a_call_without_a_message_is_refused(sending: Sending, parts: tuple[bytes, ...]) -> None:
    end = sending.whole(*parts)
    assert (end.code, end.words) == (StatusCode.UNIMPLEMENTED, "the call has no message")
    assert sending.serves()


@pytest.mark.parametrize("parts", [(prefixed(b"a") * 2,), (prefixed(b"a"), prefixed(b"b"))])
def test_a_call_of_two_messages_is_refused(sending: Sending, parts: tuple[bytes, ...]) -> None:
    end = sending.whole(*parts)
    assert end.code is StatusCode.UNIMPLEMENTED
    assert sending.ends.handler.calls == []
    assert sending.serves()


def test_a_stream_may_have_no_message(sending: Sending) -> None:
    sending.begin(path="/s/Many", end=True)
    assert len(sending.ends.handler.half) == 1


@pytest.mark.parametrize("path", ["/s/One", "/s/Many"])
@pytest.mark.parametrize("parts", [(b"\0\0\0",), (prefixed(b"abc")[:-1],), (prefixed(b"a"), b"\0")])
def test_a_call_that_ends_within_a_message_is_refused(
    sending: Sending, path: str, parts: tuple[bytes, ...]
) -> None:
    end = sending.whole(*parts, path=path)
    assert end.code is StatusCode.INTERNAL or end.words == "the call has no message"
    assert sending.ends.handler.half == []
    assert sending.serves()


def test_a_message_that_is_too_large_is_refused_before_it_has_come(sending: Sending) -> None:
    _, caller = sending.begin(PREFIX.pack(0, MAX + 1))
    assert caller.end.code is StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in caller.end.words
    assert sending.serves()


def test_a_message_that_unpacks_to_too_much_is_refused(sending: Sending) -> None:
    data = gzip.compress(bytes(10 * MAX))
    end = sending.whole(PREFIX.pack(1, len(data)) + data, more=[(b"grpc-encoding", b"gzip")])
    assert end.code is StatusCode.RESOURCE_EXHAUSTED
    assert sending.serves()


def test_a_stream_that_is_refused_in_its_midst_is_told_to_the_handler(sending: Sending) -> None:
    _, caller = sending.begin(prefixed(b"a"), PREFIX.pack(9, 0), path="/s/Many")
    assert caller.end.code is StatusCode.INTERNAL
    assert sending.ends.handler.gone == sending.ends.handler.calls
    assert sending.serves()


def test_messages_that_are_not_whole_are_kept_up_to_a_bound(sending: Sending) -> None:
    part = PREFIX.pack(0, MAX) + b"x" * (MAX - 5)
    ends = [sending.begin(part)[1] for _ in range(4)]
    assert [len(caller.ends) for caller in ends] == [0, 0, 0, 1]
    assert ends[-1].end.code is StatusCode.RESOURCE_EXHAUSTED
    assert sending.serves()


def test_whole_messages_of_calls_that_do_not_end_are_kept_up_to_the_same_bound(
    sending: Sending,
) -> None:
    callers = [sending.begin(prefixed(b"x" * MAX))[1] for _ in range(5)]
    assert [bool(caller.ends) for caller in callers] == [False, False, False, True, True]
    assert callers[-1].end.code is StatusCode.RESOURCE_EXHAUSTED


def test_messages_are_kept_as_they_are_unpacked(sending: Sending) -> None:
    data = gzip.compress(bytes(MAX))
    packed = PREFIX.pack(1, len(data)) + data
    gzipped = [(b"grpc-encoding", b"gzip")]
    callers = [sending.begin(packed, more=gzipped)[1] for _ in range(5)]
    assert [bool(caller.ends) for caller in callers] == [False, False, False, True, True]


@pytest.mark.parametrize("path", ["/s/One", "/s/Many"])
@pytest.mark.parametrize("last", ["reset", "end", "refused", "answered"])
def test_what_was_kept_of_a_call_that_is_over_counts_no_more(
    sending: Sending, path: str, last: str
) -> None:
    part = PREFIX.pack(0, MAX) + b"x" * (MAX - 5)
    ends = sending.ends
    outlet = ends.client.connection.outlet
    for _ in range(10):
        stream, caller = sending.begin(
            *([prefixed(b"a")] if path == "/s/Many" else []), part, path=path
        )
        assert caller.ends == []
        if last == "reset" and stream.call is not None:
            ends.client.give_up(stream.call)
        elif last == "end":
            outlet.data(stream, b"", end=True)
        elif last == "refused":
            outlet.data(stream, b"x" * 5 + b"\xff" * 5)
        elif path == "/s/Many":
            ends.server.fail(ends.handler.calls[-1], StatusCode.ABORTED, "enough")
        else:
            outlet.data(stream, b"x" * 5, end=True)
        ends.pump()
        if last == "answered" and path == "/s/One":
            ends.server.answer(ends.handler.calls[-1], b"")
            ends.pump()
    assert sending.serves()
