"""Which bytes are one whole plain GET, and what they say."""

from collections.abc import Mapping

import pytest

from cache_core.trace import NO_TRACE, Trace
from gateway.http.addressing import Target
from gateway.http.form.representation import Wish
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.lane.request import MAX_BYTES, REMEMBERED_BYTES, PlainGet, Reader

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def request(target: str = "/groups/scores/keys/Tom", *fields: str) -> bytes:
    lines = (f"GET {target} HTTP/1.1", "Host: x", *fields, "", "")
    return "\r\n".join(lines).encode()


def read(data: bytes, limits: Limits | None = None) -> PlainGet | None:
    return Reader(limits or Limits(), Hosts()).read(data)


def test_it_says_what_is_asked_for() -> None:
    fields = ("Accept: text/plain", "grpc-timeout: 500m", f"traceparent: {PARENT}")
    plain = read(request("/groups/sc%6fres/keys/a/b%2Fc?alt=media", *fields))
    assert plain is not None
    assert plain.path == "/groups/sc%6fres/keys/a/b%2Fc"
    assert plain.get.target == Target("scores", "a/b/c")
    assert plain.get.wish == Wish("text/plain", "media")
    assert plain.get.fields["host"] == "x"
    assert (plain.timeout, plain.trace) == (0.5, Trace(PARENT))


def test_it_has_the_timeout_of_the_limits_where_it_says_none() -> None:
    plain = read(request(), Limits(timeout=3))
    assert plain is not None
    assert (plain.timeout, plain.trace) == (3, NO_TRACE)


def test_equal_headers_are_read_once() -> None:
    reader = Reader(Limits(), Hosts())
    tom, jack = reader.read(request()), reader.read(request("/groups/scores/keys/Jack"))
    assert tom is not None
    assert jack is not None
    assert tom.get.fields is jack.get.fields
    traced = request("/groups/scores/keys/Tom", f"traceparent: {PARENT}")
    first, second = reader.read(traced), reader.read(traced)
    assert first is not None
    assert second is not None
    assert first.get.fields is not second.get.fields  # for the next has another trace


def test_what_is_remembered_of_headers_is_within_its_bytes() -> None:
    reader = Reader(Limits(), Hosts())

    def read_fields(number: int) -> Mapping[str, str]:
        plain = reader.read(request("/groups/scores/keys/Tom", f"X-Request-ID: {number:01000d}"))
        assert plain is not None
        return plain.get.fields

    count = REMEMBERED_BYTES // 1000
    before = [read_fields(number) for number in range(count)]
    remembered = [
        number for number in reversed(range(count)) if read_fields(number) is before[number]
    ]
    assert 0 < len(remembered) <= count / 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request()[:-1],
        request()[:-2],
        request() + b"G",
        request() * 2,
        b"\r\n" + request(),
        b"GET /groups/scores/keys/Tom HTTP/1.1\r\n\r\n",
        b"GET /groups/scores/keys/Tom HTTP/1.1\r\n",
        request().replace(b"GET", b"HEAD"),
        request().replace(b"1.1", b"1.0"),
        request().replace(b"\r\n", b"\n"),
        request("/groups/scores/keys/"),
        request("/groups/scores/keys?key=Tom"),
        request("/groups/scores/keys/Tom?alt=json"),
        request("/groups/scores/keys/Tom?alt=media&alt=media"),
        request("/groups/scores/keys/Tom#f"),
        request("/groups/scores/keys/%"),
        request("/groups/scores/keys/%FF"),
        request("/groups/scores/keys/ä"),
        request("/groups/a/b/keys/Tom"),
        request("http://x/groups/scores/keys/Tom"),
        request("/groups/scores/keys/" + "k" * 1025),
        request("/groups/" + "g" * 129 + "/keys/Tom"),
        *(
            request("/groups/scores/keys/Tom", field)
            for field in (
                "Host: y",
                "X: y",
                "Cookie: a=b",
                "Authorization: Bearer x",
                "Range: bytes=0-1",
                'If-None-Match: "x"',
                "Cache-Control: no-cache",
                "Connection: close",
                "Content-Length: 0",
                "Transfer-Encoding: chunked",
                "Expect: 100-continue",
                "Upgrade: h2c",
                "Origin: http://x",
                "grpc-timeout: 5",
                "X-Request-Timeout: 0",
                "Accept:text/plain",
                "Accept:  text/plain",
                "Accept: text/plain ",
                "Accept:",
                " Accept: text/plain",
                "Accept: a\tb",
                "Accept: ä",
                "Accept",
                "",
                "User-Agent: " + "x" * MAX_BYTES,
            )
        ),
        request("/groups/scores/keys/Tom", "Accept: a/b", "accept: a/b"),
        request().replace(b"Host: x", b"Host: a b"),
        request().replace(b"Host: x", b"Accept: x"),
    ],
    ids=lambda data: repr(data[:80]),
)
def test_of_all_else_nothing_is_said(data: bytes) -> None:
    assert read(data) is None


def test_what_is_over_a_limit_is_no_plain_one() -> None:
    data = request("/groups/scores/keys/Tom", "User-Agent: " + "x" * 100)
    assert read(data, Limits(header_bytes=1024)) is not None
    assert read(data, Limits(header_bytes=110)) is None
    assert read(data, Limits(target_bytes=20)) is None
