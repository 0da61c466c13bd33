"""The reading of a request's head: its target and the Host that counts, or a refusal. Pure.

RFC 9112, sections 2.3 (versions), 3.2 (forms of the target), 3.2.2 (its authority goes before
Host) and 6.1 (Transfer-Encoding); RFC 9110, sections 4.2.1 and 4.2.4 (hosts and userinfo in URIs)
and 7.2 (Host).
"""

import re
from typing import Final, NamedTuple

from gateway.http.fields import Headers
from gateway.http.problems import Refused

VERSIONS: Final = ("1.0", "1.1")

SERVER: Final = "*"
"""The target of an OPTIONS that is about the server as a whole."""

_QUOTED_CHARACTERS: Final = 64

_AUTHORITY: Final = re.compile(
    rb"(?:\[[0-9A-Fa-fv:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?]*)(/[^?]*)?(\?.*)?", re.IGNORECASE | re.DOTALL)


class RequestTarget(NamedTuple):
    """A request's target in origin form, or `*`, and its headers with the Host that counts."""

    target: bytes
    headers: Headers


def read_head(version: str, method: bytes, target: bytes, headers: Headers) -> RequestTarget:
    """Return the target and the headers of a request with this head.

    The names in `headers` are in lower case. Raises Refused (400).
    """
    if version not in VERSIONS:
        raise malformed("it should be an HTTP/1.1 request")
    if method == b"CONNECT":
        raise malformed("the gateway is no proxy, and opens no tunnels")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version != "1.0" and not hosts):
        raise malformed("it should have one Host")
    if hosts and not _AUTHORITY.fullmatch(hosts[0]) and (hosts[0] or version != "1.0"):
        raise malformed("Host should be a name or an address, and a port where there is one")
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise malformed("Transfer-Encoding should be chunked, and nothing else")
    if b"#" in target:
        raise malformed("the target should have no #, or %23 for it")
    if target.startswith(b"/") or (target == SERVER.encode() and method == b"OPTIONS"):
        return RequestTarget(target, headers)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not _AUTHORITY.fullmatch(absolute[1]):
        raise malformed("the target should be a path, or an http URI without userinfo")
    others = [(name, value) for name, value in headers if name != b"host"]
    path, query = absolute[2] or b"", absolute[3] or b""
    if not path and not query and method == b"OPTIONS":
        return RequestTarget(SERVER.encode(), [(b"host", absolute[1]), *others])
    return RequestTarget((path or b"/") + query, [(b"host", absolute[1]), *others])


def malformed(words: str) -> Refused:
    """Return the refusal (400) of a malformed request; `words` say how it should be."""
    return Refused(400, "malformed-request", words)


def headers_too_large(limit: int) -> Refused:
    """Return the refusal of headers of more than `limit` bytes: RFC 6585, section 5."""
    return Refused(431, "headers-too-large", f"the headers have more than {limit} bytes")


def too_many_headers(limit: int) -> Refused:
    """Return the refusal of more than `limit` headers."""
    return Refused(431, "headers-too-large", f"there are more than {limit} headers")


def too_many_connections() -> Refused:
    """Return the refusal of a connection for which there is no room."""
    words = "the gateway has as many connections as it may, come back later"
    return Refused(503, "too-many-connections", words, headers={"Retry-After": "1"})


def too_slow(seconds: float) -> Refused:
    """Return the refusal of a request that took more than `seconds` to arrive."""
    words = f"the request did not come within {seconds:g} seconds"
    return Refused(408, "request-timeout", words)


def target_too_long(size: int, limit: int) -> Refused:
    """Return the refusal of a target of `size` bytes."""
    return Refused(414, "target-too-long", f"the target has {size} bytes, the limit is {limit}")


def shortened(target: str) -> str:
    """Return the beginning of a target that is too long or too odd to be repeated whole."""
    return target[:_QUOTED_CHARACTERS] + "…" if len(target) > _QUOTED_CHARACTERS else target
