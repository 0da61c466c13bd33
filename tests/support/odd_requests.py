"""Requests as anybody may send them: plain GETs of keys, and what is odd about others."""

import itertools
from typing import Final, NamedTuple

from hypothesis import strategies as st


class Sent(NamedTuple):
    """A request, and where it is cut into parts."""

    data: bytes
    cuts: tuple[int, ...] = ()

    @property
    def parts(self) -> list[bytes]:
        places = sorted({place % len(self.data) for place in self.cuts} | {0, len(self.data)})
        return [self.data[begin:end] for begin, end in itertools.pairwise(places)]


def either(*given: object) -> st.SearchStrategy[bytes]:
    return st.sampled_from(
        [item if isinstance(item, bytes) else str(item).encode() for item in given]
    )


# fmt: off
SEGMENTS: Final = either(
    "scores", "typed", "json", "%C3%A4%2Fb", "nope", "", "..", "%", "%zz", "%FF", "g" * 129,
    "scores;x", "sc%6fres",
)
KEYS: Final = either(
    "Tom", "empty", "binary", "a/b", "a%2Fb", "a%2fb", "%C3%A4", "a%20b", "..", "%2E%2E", "%2541",
    "document", "text", "long", "absent", "broken", "", "/", "//Tom", "%", "%4", "%ZZ", "%FF",
    "%00", "%ED%A0%80", "k" * 1024, "k" * 1025, "k" * 9000, "x@y:z;a=b,c+d!$&'()*~_-.", "Tom#f",
    'T"om', "T|om", b"T\xffom", "T om", "T\tom",
)
QUERIES: Final = either(
    "", "", "", "?alt=media", "?alt=json", "?alt=", "?alt=media&alt=media", "?alt=media&",
    "?alt=Media", "?encoding=base64", "?encoding=utf-8", "?", "?key=Tom", "?x=%zz",
)
PLAIN_KEYS: Final = either(
    "Tom", "empty", "binary", "a/b", "%C3%A4", "document", "text", "long", "absent", "broken",
    "..", "k" * 1024,
)
PLAIN_GROUPS: Final = either(
    "scores", "typed", "json", "%C3%A4%2Fb", "nope",
)
ACCEPTED: Final = (
    "*/*", "application/json", "application/octet-stream", "text/plain", "text/css", "image/webp",
    "text/*;q=0.5, application/json;q=0.1", "*/*;q=0", "garbage", "a" * 2000,
    "text/html,application/xhtml+xml,*/*;q=0.8",
)
CODINGS: Final = (
    "gzip", "zstd", "identity", "gzip, deflate, br, zstd", "gzip;q=0", "*;q=0", "identity;q=0",
    "x-gzip;q=0.5", "",
)
HARMLESS: Final = (
    "User-Agent: curl/8", "Connection: keep-alive", "connection: Keep-Alive", "DNT: 1",
    "X-Forwarded-For: 1.2.3.4", "Referer: http://x/", "X-Request-Timeout: 9.5", "grpc-timeout: 9S",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b",
)
PLAIN_FIELDS: Final = (
    either(*(f"Accept: {value}" for value in ACCEPTED))
    | either(*(f"Accept-Encoding: {value}" for value in CODINGS))
    | either(*HARMLESS)
)
ODD_FIELDS: Final = either(
    "Host: y", "Host:", "host: x:80", "Host: a b", "Host: [::1]:8", "ACCEPT:*/*", "accept:  */*",
    "Accept:\t*/*", "Accept: */* ", "Accept : */*", " Accept: */*", "Accept: text/plain\r\n ;q=0",
    "Accept:", "X: y", "X-\xe9: y", b"X: \xe9", b"User-Agent: \xe9", b"User-Agent: a\0b",
    "User-Agent: a\tb", "no colon", ": x", "Authorization: Bearer x", "Cookie: a=b",
    "Origin: http://o", "If-None-Match: *", 'If-None-Match: "x"', 'If-Match: "x"',
    'If-Range: "x"', "Range: bytes=0-1", "Range: bytes=9999999-", "Cache-Control: no-cache",
    "Cache-Control: only-if-cached", "Pragma: no-cache", "grpc-timeout: 5", "grpc-timeout: 0S",
    "X-Request-Timeout: -1", "X-Request-Timeout: 1e3", "Connection: close",
    "Connection: keep-alive, close", "Connection: upgrade", "Upgrade: h2c", "Connection: x",
    "Expect: 100-continue", "Content-Length: 0", "Content-Length: 00", "Content-Length: -1",
    "Content-Length: 0, 0", "Transfer-Encoding: identity", "Transfer-Encoding: gzip",
    "Keep-Alive: 5", "Content-Type: text/plain", "TE: trailers", "Proxy-Connection: close",
)
LINE_ENDS: Final = either(b"\r\n", b"\n", b"\r", b"\r\r\n", b" \r\n")
BODIES: Final = either(
    b"Content-Length: 3\r\n\r\nabc", b"Content-Length: 0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
)
# fmt: on
CUTS: Final = st.just(()) | st.lists(st.integers(0, 400), max_size=3).map(tuple)


@st.composite
def plain_requests(draw: st.DrawFn) -> Sent:
    """A GET that is well-formed, in most cases with what it is well-formed of."""
    query = draw(either("", "", "?alt=media"))
    path = b"/groups/%b/keys/%b%b" % (draw(PLAIN_GROUPS), draw(PLAIN_KEYS), query)
    fields = draw(st.lists(PLAIN_FIELDS, max_size=3))
    fields.insert(draw(st.integers(0, len(fields))), b"Host: x")
    head = b"".join(field + b"\r\n" for field in fields)
    return Sent(b"GET %b HTTP/1.1\r\n%b\r\n" % (path, head), draw(CUTS))


@st.composite
def odd_requests(draw: st.DrawFn) -> Sent:
    """What is plain but for a few things, or for many."""
    target = b"/groups/%b/keys/%b%b" % (draw(SEGMENTS), draw(KEYS), draw(QUERIES))
    target = (
        draw(either(b"", b"", b"", b"", b"http://x", b"http://u@x", b"/", b"*", b"//x")) + target
    )
    method = draw(either(*["GET"] * 6, "HEAD", "POST", "PUT", "OPTIONS", "get", "FLY", "GET ", ""))
    version = draw(either(*["HTTP/1.1"] * 8, "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", ""))
    fields = draw(st.lists(PLAIN_FIELDS | ODD_FIELDS, max_size=4))
    if draw(st.integers(0, 9)):
        fields.insert(draw(st.integers(0, len(fields))), b"Host: x")
    ends = [
        draw(LINE_ENDS) if draw(st.integers(0, 9)) == 0 else b"\r\n" for _ in range(len(fields))
    ]
    ends += [b"\r\n", b"\r\n"]  # else more is to come, and it is waited for
    lines = [b"%b %b %b" % (method, target, version), *fields, b""]
    before = draw(either(b"", b"", b"", b"", b"\r\n", b"\n", b" "))
    head = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    if draw(st.integers(0, 9)) == 0:
        head = head.removesuffix(b"\r\n") + draw(BODIES)
    return Sent(before + head, draw(CUTS))


requests: Final = st.lists(plain_requests() | odd_requests(), min_size=1, max_size=4)
