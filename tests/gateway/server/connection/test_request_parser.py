"""Requests are read one at a time, however their bytes come, and nothing behind them is."""

import pytest

from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.server.connection.request_parser import Awaited, HttpHead, RequestParser

UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_END = b"\r\n\r\n\r\n\r\n"
REQUESTS = [
    (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    (b"\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nab" + NO_END + b"cd", None),
    (b"POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b""),
    (
        b"POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"8\r\n" + NO_END + b"\r\n2;x=y\r\ncd\r\n0\r\nTrailer: 1\r\nAnother: 2\r\n\r\n",
        NO_END + b"cd",
    ),
    (b"POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    (b"GET /f HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"Content-Length: 2\r\n\r\nab", b"ab"),
    (
        b"GET /g HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n0\r\n\r\n",
        b"ab",
    ),
    (b"GET /h HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n", b""),
    (b"GET /i HTTP/1.1\r\nHost: x\r\n\r\n", b""),
]
BODIES = [b"ab" + NO_END + b"cd" if body is None else body for _, body in REQUESTS]


class Read:
    """What a parser reads of parts of bytes: requests, each with its body and its bytes."""

    def __init__(self, parser: RequestParser) -> None:
        self._parser = parser
        self.heads: list[HttpHead] = []
        self.bodies: list[bytes] = []
        self.ends: list[int] = []
        self._read = 0

    def read(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            part = self._parser.read(data, start)
            assert part.end > start or part.is_whole
            if part.head is not None:
                assert len(self.ends) == len(self.heads)  # the one before has ended
                self.heads.append(part.head)
                self.bodies.append(b"")
            if part.body:
                self.bodies[-1] += part.body
            if part.is_whole:
                self.ends.append(self._read + part.end)
            start = part.end
        self._read += len(data)

    def read_in_parts(self, data: bytes, step: int) -> None:
        for start in range(0, len(data), step):
            self.read(data[start : start + step])


@pytest.mark.parametrize("step", [*range(1, 40), 100, 10_000])
def test_what_is_read_does_not_depend_on_how_it_comes(step: int) -> None:
    said = b"".join(request for request, _ in REQUESTS)
    read = Read(RequestParser(Limits()))
    read.read_in_parts(said, step)
    assert [head.target for head in read.heads] == [b"/" + bytes([97 + n]) for n in range(9)]
    assert read.bodies == BODIES
    lengths = [len(request) for request, _ in REQUESTS]
    assert read.ends == [sum(lengths[: number + 1]) for number in range(9)]


def test_nothing_behind_a_request_is_read_with_it() -> None:
    parser = RequestParser(Limits())
    first = parser.read(REQUESTS[0][0] + b"\x16\x03\x01 garbage", 0)
    assert (first.end, first.is_whole) == (len(REQUESTS[0][0]), True)
    with pytest.raises(Refused):
        parser.read(b"\x16\x03\x01 garbage", 0)


def test_a_request_is_known_in_its_parts() -> None:
    parser = RequestParser(Limits())
    parser.read(b"\r\n", 0)
    parser.read(b"POST /some?q HTTP/1.1\r\nHost: x\r\nA: b", 0)
    assert (parser.awaited, parser.target) == (Awaited.HEAD, b"/some?q")
    part = parser.read(b"\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 0)
    assert part.head is not None
    assert part.head.expects_continue
    assert part.head.keeps_alive
    assert parser.headers[:2] == [(b"host", b"x"), (b"a", b"b")]
    assert not part.is_whole


@pytest.mark.parametrize(
    ("line", "field", "keeps_alive"),
    [
        (b"HTTP/1.1", b"", True),
        (b"HTTP/1.1", b"Connection: close\r\n", False),
        (b"HTTP/1.1", b"Connection: x, Close\r\n", False),
        (b"HTTP/1.0", b"", False),
        (b"HTTP/1.0", b"Connection: keep-alive\r\n", False),
    ],
)
def test_a_client_says_whether_another_request_follows(
    line: bytes, field: bytes, keeps_alive: bool
) -> None:
    part = RequestParser(Limits()).read(b"GET / " + line + b"\r\nHost: x\r\n" + field + b"\r\n", 0)
    assert part.head is not None
    assert part.head.keeps_alive is keeps_alive


@pytest.mark.parametrize("step", [1, 100, 5_000])
@pytest.mark.parametrize(
    ("begin", "more", "status"),
    [
        (b"GET /", b"a", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: a\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a", 431),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: a\r\n",
            431,
        ),
    ],
)
def test_what_does_not_end_is_refused_past_its_limit(
    begin: bytes, more: bytes, status: int, step: int
) -> None:
    read = Read(RequestParser(Limits(target_bytes=300, header_bytes=1_000)))
    said = begin + more * 3_000
    with pytest.raises(Refused) as caught:
        read.read_in_parts(said, step)
    assert caught.value.status == status
