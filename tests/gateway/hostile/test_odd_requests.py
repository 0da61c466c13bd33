"""What no client sends, at a real gateway with a real node: one clear answer, and it goes on."""

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from raw_http import Connection, exchange

TOM = b"/groups/scores/keys/Tom"
HOST = b"Host: x\r\n"
CLOSE = b"Connection: close\r\n\r\n"
GOOD = b"GET " + TOM + b" HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET " + TOM + b" HTTP/1.1\r\n" + HOST + CLOSE


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def url(shared_url: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[str]:
    """A gateway that still serves after the test, and has said nothing in the log."""
    yield shared_url
    assert [reply.status for reply in await exchange(shared_url, LAST)] == [200]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def get(target: bytes, *headers: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    fields = b"".join(header + b"\r\n" for header in headers)
    return method + b" " + target + b" HTTP/" + version + b"\r\n" + HOST + fields + CLOSE


@pytest.mark.parametrize(
    ("request_bytes", "status", "reason"),
    [
        (get(b"/groups/scores/keys/%"), 400, "malformed-escape"),
        (get(b"/groups/scores/keys/%4"), 400, "malformed-escape"),
        (get(b"/groups/%ZZ/keys/Tom"), 400, "malformed-escape"),
        (get(b"/groups/scores/keys?key=%G1"), 400, "malformed-escape"),
        (get(b"/groups/scores/keys/%FF"), 400, "invalid-encoding"),
        (get(b"/groups/scores/keys/%C3"), 400, "invalid-encoding"),
        (get(b"/groups/scores/keys/%ED%A0%80"), 400, "invalid-encoding"),
        (get(b"/groups/scores/keys/%00"), 404, "key-not-found"),
        (get(b"/groups/scores/keys/../../../etc/passwd"), 404, "key-not-found"),
        (get(b"/../groups/scores/keys/Tom"), 404, "not-found"),
        (get(b"//groups/scores/keys/Tom"), 404, "not-found"),
        (get(b"/groups/scores/keys//Tom"), 404, "key-not-found"),
        (get(b"/docs/assets/..%2f..%2fapp.py"), 404, "not-found"),
        (get(TOM + b"#fragment"), 400, "malformed-request"),
        (get(b"/" + b"k" * 8200), 414, "target-too-long"),
        (get(b"/" + b"k" * 60_000), 414, "target-too-long"),
        (get(b"/?" + b"k" * 8200), 414, "target-too-long"),
        (get(b"http://u@x" + TOM), 400, "malformed-request"),
        (get(b"ftp://x" + TOM), 400, "malformed-request"),
        (get(b"http:///x"), 400, "malformed-request"),
        (get(b"x:80", method=b"CONNECT"), 400, "malformed-request"),
        (get(b"x:80"), 400, "malformed-request"),
        (get(b"*"), 400, "malformed-request"),
        (get(b"http://x/none"), 404, "not-found"),
        (b"GET " + TOM + b" HTTP/1.1\r\n" + CLOSE, 400, "malformed-request"),
        (get(TOM, b"Host: x"), 400, "malformed-request"),
        (b"GET " + TOM + b" HTTP/1.1\r\nHost:\r\n" + CLOSE, 400, "malformed-request"),
        (b"GET " + TOM + b" HTTP/1.1\r\nHost: a b\r\n" + CLOSE, 400, "malformed-request"),
        (get(TOM, b"X: " + b"a" * 33_000), 431, "headers-too-large"),
        (get(TOM, *[b"X: a"] * 9_000), 431, "headers-too-large"),
        (get(TOM, *[b"X: a"] * 99), 431, "headers-too-large"),
        (LAST.replace(b"\r\n", b"\n"), 400, "malformed-request"),
        (get(TOM, b"X: a\0b"), 400, "malformed-request"),
        (get(TOM, b"X: a\r\n b"), 400, "malformed-request"),
        (get(TOM, b"X : a"), 400, "malformed-request"),
        (get(TOM, b"X: a\rb"), 400, "malformed-request"),
        (get(TOM, b": a"), 400, "malformed-request"),
        (LAST.replace(b"HTTP/1.1", b"RTSP/1.0"), 400, "malformed-request"),
        (b"SOURCE /a ICE/1.0\r\n" + HOST + CLOSE, 400, "malformed-request"),
        (get(TOM, b"Content-Length: " + b"0" * 5_000 + b"1"), 400, "malformed-request"),
        (get(TOM, version=b"0.9"), 400, "malformed-request"),
        (get(TOM, version=b"1.2"), 400, "malformed-request"),
        (get(TOM, version=b"2.0"), 400, "malformed-request"),
        (b"GET " + TOM + b"\r\n\r\n", 400, "malformed-request"),
        (b"GET  " + TOM + b"  HTTP/1.1\r\n" + CLOSE, 400, "malformed-request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed-request"),
        (b"get " + TOM + b" HTTP/1.1\r\n" + HOST + CLOSE, 400, "malformed-request"),
        (get(TOM, method=b"PUT"), 405, "method-not-allowed"),
    ],
    ids=lambda given: str(given[:60]) if isinstance(given, bytes) else str(given),
)
async def test_what_is_wrong_is_one_problem(
    url: str, request_bytes: bytes, status: int, reason: str
) -> None:
    (reply,) = await exchange(url, request_bytes)
    assert (reply.status, reply.problem["reason"]) == (status, reason)
    assert reply.problem["status"] == status
    assert reply.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"),
        (b"Content-Length: 3, 3\r\n", b"abc"),
        (b"Content-Length: -3\r\n", b"abc"),
        (b"Content-Length: +3\r\n", b"abc"),
        (b"Content-Length: 99999999999999999999\r\n", b"abc"),
        (b"Transfer-Encoding: gzip\r\n", b"abc"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"zz\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"-1\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabcd\r\n"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_body_whose_end_is_in_doubt_is_refused_and_what_follows_is_not_served(
    url: str, method: bytes, fields: bytes, body: bytes
) -> None:
    smuggled = method + b" " + TOM + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body + GOOD
    (reply,) = await exchange(url, smuggled)
    assert (reply.status, reply.problem["reason"]) == (400, "malformed-request")


@pytest.mark.parametrize(
    "request_bytes",
    [
        get(b"http://x" + TOM),
        get(b"HTTP://other.example:80" + TOM),
        get(b"http://[::1]:80/groups/scores/keys?key=Tom"),
        get(b"/groups/scores/keys/%54%6f%6D"),
        b"\r\n\r\n" + LAST,
        b"GET " + TOM + b" HTTP/1.0\r\n\r\n",
        b"GET " + TOM + b" HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        get(TOM, b"Content-Length: 3")[:-2] + b"\r\nabc",
        b"GET " + TOM + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + CLOSE
        + b"3\r\nabc\r\n0\r\n\r\n",
        get(TOM, b"Expect: 100-continue", b"Content-Length: 3"),
        get(TOM, b"Upgrade: h2c", b"Connection: Upgrade"),
        get(TOM, b"X: " + b"a" * 30_000),
        get(TOM, *[b"X: a"] * 98),  # with Host and Connection a hundred
        get(TOM, b"Range: bytes=0-0"),
    ],
    ids=lambda given: str(given[:60]),
)  # fmt: skip
async def test_what_is_odd_but_right_is_answered(url: str, request_bytes: bytes) -> None:
    (reply,) = await exchange(url, request_bytes)
    assert reply.status == 200
    assert b'"630"' in reply.body


CHUNKED = (
    b"POST /groups/scores/keys:batchGet HTTP/1.1\r\n"
    + HOST
    + (
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b'e\r\n{"keys":["Tom"\r\n'
    )
)


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"X: " + b"a" * 200_000,
        b"0\r\n" + b"X: a\r\n" * 40_000,
        b"1;x=" + b"a" * 200_000,
    ],
    ids=["trailer", "trailers", "chunk extension"],
)
async def test_what_a_body_has_beside_its_bytes_may_be_no_more_than_a_head(
    url: str, endless: bytes
) -> None:
    (reply,) = await exchange(url, CHUNKED + endless)
    assert (reply.status, reply.problem["reason"]) == (431, "headers-too-large")


async def test_a_trailer_counts_for_no_header(url: str) -> None:
    (reply,) = await exchange(url, CHUNKED + b"2\r\n]}\r\n0\r\nAccept: image/webp\r\n\r\n")
    assert reply.status == 200
    assert b'"630"' in reply.body


@pytest.mark.parametrize("target", [b"*", b"http://x"])
async def test_options_of_the_server_tells_all_methods(url: str, target: bytes) -> None:
    (reply,) = await exchange(url, get(target, method=b"OPTIONS"))
    assert reply.status == 204
    assert {"GET", "HEAD", "OPTIONS"} <= set(reply.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("field", "status", "body"),
    [
        (b"bytes=0-0", 206, b"6"),
        (b"bytes=1-", 206, b"30"),
        (b"bytes=-1", 206, b"0"),
        (b"bytes=0-99", 206, b"630"),
        (b"BYTES=0-0", 206, b"6"),
        (b"bytes=-99", 206, b"630"),
        (b"bytes=3-", 416, None),
        (b"bytes=-0", 416, None),
        (b"bytes=0-0,2-2", 200, b"630"),
        (b"bytes=2-1", 200, b"630"),
        (b"bytes=", 200, b"630"),
        (b"bytes=a-b", 200, b"630"),
        (b"lines=0-0", 200, b"630"),
        (b"bytes=" + b"9" * 400 + b"-", 200, b"630"),
        (b"bytes=0-" + b"9" * 400, 200, b"630"),
        (b"\xff", 200, b"630"),
    ],
)
async def test_every_form_of_range_has_its_answer(
    url: str, field: bytes, status: int, body: bytes | None
) -> None:
    (reply,) = await exchange(url, get(TOM + b"?alt=media", b"Range: " + field))
    assert reply.status == status
    if body is not None:
        assert reply.body == body


async def test_a_head_and_a_get_share_a_connection(url: str) -> None:
    async with Connection(url) as connection:
        connection.send(GOOD.replace(b"GET", b"HEAD") + LAST)
        head, found = await connection.reply(to_head=True), await connection.reply()
        assert await connection.reply() is None
    assert head is not None
    assert found is not None
    assert head.headers["content-length"] == str(len(found.body))
