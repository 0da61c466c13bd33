"""Answers as other servers, and proxies, give them."""

import gzip

import pytest
from grpc_ends import CUT, Ends, FakeCaller

from cache_core.rpc.grpc.messages import PREFIX, prefixed
from cache_core.rpc.grpc.server_session import HEADER, OK
from cache_core.rpc.grpc.status import OF_HTTP, StatusCode
from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import DATA, END_STREAM
from cache_core.rpc.http2.framing.fields import Field
from cache_core.rpc.http2.framing.literals import block

GZIPPED = block([(b":status", b"200"), (b"content-type", b"application/grpc")]) + block(
    [(b"grpc-encoding", b"gzip")]
)


def head(*fields: Field, end: bool = False) -> bytes:
    return frames.headers(1, block(fields), end=end)


def data(payload: bytes, *, end: bool = False) -> bytes:
    return frames.frame(DATA, END_STREAM if end else 0, 1, payload)


HEAD = frames.headers(1, HEADER, end=False)
TRAILERS = frames.headers(1, OK, end=True)
SETTINGS = frames.settings({})


def answered(*parts: bytes) -> FakeCaller:
    """Return the caller of a call that was answered with these frames."""
    ends = Ends(max_message=1_000)
    _, caller = ends.call()
    ends.client.receive(SETTINGS + b"".join(parts))
    assert ends.owner.faults == []
    assert ends.client.is_idle
    return caller


def test_an_answer_is_a_header_a_message_and_trailers() -> None:
    caller = answered(HEAD, data(prefixed(b"630")), TRAILERS)
    assert (caller.messages, caller.end.code) == ([b"630"], StatusCode.OK)


def test_a_first_answer_may_come_before() -> None:
    early = head((b":status", b"103"), (b"link", b"x"))
    caller = answered(early, HEAD, data(prefixed(b"630")), TRAILERS)
    assert caller.messages == [b"630"]


@pytest.mark.parametrize("status", [*OF_HTTP, 204, 302, 418, 500])
@pytest.mark.parametrize("ended", [True, False])
def test_an_http_status_without_grpcs_has_a_meaning(status: int, ended: bool) -> None:
    fields = (b":status", b"%d" % status), (b"content-type", b"text/html")
    caller = answered(head(*fields, end=ended), *([] if ended else [data(b"<html>", end=True)]))
    assert caller.end.code is OF_HTTP.get(status, StatusCode.UNKNOWN)
    assert str(status) in caller.end.words


def test_grpcs_status_counts_more_than_http_status() -> None:
    fields = (b":status", b"503"), (b"content-type", b"application/grpc"), (b"grpc-status", b"5")
    assert answered(head(*fields, end=True)).end.code is StatusCode.NOT_FOUND


def test_a_page_is_no_answer() -> None:
    caller = answered(head((b":status", b"200"), (b"content-type", b"text/html")), data(b"<html>"))
    assert caller.end.code is StatusCode.UNKNOWN
    assert caller.messages == []


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD, data(prefixed(b"630"), end=True)),
        (frames.headers(1, HEADER, end=True),),
        (HEAD, data(b"", end=True)),
        (HEAD, head((b"a", b"1"), end=True)),
    ],
)
def test_an_answer_without_a_status_is_unknown(parts: tuple[bytes, ...]) -> None:
    assert answered(*parts).end.code is StatusCode.UNKNOWN


@pytest.mark.parametrize(
    "parts",
    [
        (data(prefixed(b"630")),),
        (HEAD, data(prefixed(b"630")[:-1]), TRAILERS),
        (HEAD, data(prefixed(b"630") + b"\0"), TRAILERS),
        (HEAD, data(b"\x02\0\0\0\0"), TRAILERS),
        (HEAD, data(PREFIX.pack(1, 3) + b"630"), TRAILERS),
        (frames.headers(1, GZIPPED, end=False), data(PREFIX.pack(1, 3) + b"630"), TRAILERS),
    ],
)
def test_an_answer_that_breaks_a_rule_is_an_internal_error(parts: tuple[bytes, ...]) -> None:
    assert answered(*parts).end.code is StatusCode.INTERNAL


def test_a_message_that_is_too_large_is_refused_by_its_prefix() -> None:
    caller = answered(HEAD, data(PREFIX.pack(0, 1_001)))
    assert caller.end.code is StatusCode.RESOURCE_EXHAUSTED
    assert caller.end.words == "CLIENT: Received message larger than max (1001 vs. 1000)"


def test_an_answer_may_be_compressed() -> None:
    packed = gzip.compress(b"630" * 100)
    message = data(PREFIX.pack(1, len(packed)) + packed)
    caller = answered(frames.headers(1, GZIPPED, end=False), message, TRAILERS)
    assert caller.messages == [b"630" * 100]


def test_a_packed_message_that_unpacks_to_too_much_is_refused() -> None:
    packed = gzip.compress(bytes(1 << 20))
    message = data(PREFIX.pack(1, len(packed)) + packed)
    caller = answered(frames.headers(1, GZIPPED, end=False), message, TRAILERS)
    assert caller.end.code is StatusCode.RESOURCE_EXHAUSTED


def test_the_same_trailers_mean_the_same_with_another_field_that_is_told_apart() -> None:
    ends = Ends()
    callers = [ends.call()[1] for _ in range(3)]
    ends.client.receive(SETTINGS)
    for number, _ in enumerate(callers):
        stream = 2 * number + 1
        ends.client.receive(
            frames.headers(stream, HEADER, end=False)
            + frames.frame(DATA, 0, stream, prefixed(b"630"))
            + frames.headers(stream, OK + block([(CUT, b"%d" % number)]), end=True)
        )
    assert [caller.end.cut for caller in callers] == [b"0", b"1", b"2"]


def test_an_error_has_the_fields_of_its_trailers() -> None:
    fields = (b"grpc-status", b"5"), (b"grpc-message", b"no%20%C3%84"), (b"x-bin", b"Ng==")
    caller = answered(HEAD, head(*fields, end=True))
    end = caller.end
    assert (end.code, end.words, end.metadata) == (StatusCode.NOT_FOUND, "no Ä", (("x-bin", b"6"),))


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.NOT_FOUND])
def test_a_failure_counts_more_than_the_half_of_a_message_before_it(code: StatusCode) -> None:
    trailers = head((b"grpc-status", b"%d" % code), end=True)
    assert answered(HEAD, data(prefixed(b"630")[:6]), trailers).end.code is code


def test_half_a_message_is_no_success() -> None:
    assert answered(HEAD, data(prefixed(b"630")[:6]), TRAILERS).end.code is StatusCode.INTERNAL
