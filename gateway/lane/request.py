"""The reader of plain GETs: bytes that are one whole GET of a key with harmless fields. Pure.

A plain GET is a request in every reading of RFC 9112, and means what `request_head`, `addressing`,
`deadline` and `fields` make of it. About all other bytes this module says nothing.
"""

import re
from typing import Final, NamedTuple

from cache_core.trace import NO_TRACE, Trace
from gateway.http import deadline
from gateway.http.addressing import MalformedTarget, from_path
from gateway.http.deadline import timeout_of
from gateway.http.fields import joined
from gateway.http.form.decision import Get
from gateway.http.form.representation import Wish
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import read_head
from gateway.lane.recent import Recent
from gateway.middleware.tracing import TRACEPARENT, TRACESTATE, trace_of

MAX_BYTES: Final = 4096
"""A longer request is not a plain one."""

REMEMBERED_BYTES: Final = 512 * 1024
"""The bytes for header blocks, which clients repeat byte for byte."""

_BLOCK_BYTES: Final = 1500
"""The bytes that a remembered block takes beside its own."""

_CHARACTERS: Final = rb"A-Za-z0-9._~!$&'()*+,;=:@%-"
_PATH: Final = rb"/groups/([%b]*)/keys/([/%b]+)" % (_CHARACTERS, _CHARACTERS)
_BEGIN: Final = re.compile(rb"GET (%b)(\?alt=media)? HTTP/1\.1\r\n" % _PATH)
_FIELD: Final = re.compile(rb"([A-Za-z-]+): ([!-~](?:[ -~]*[!-~])?)")

_END: Final = b"\r\n\r\n"

_TRACE: Final = frozenset({TRACEPARENT.encode(), TRACESTATE.encode()})
_KNOWN: Final = _TRACE | {
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"connection",
    b"dnt",
    b"forwarded",
    deadline.GRPC_TIMEOUT.encode(),
    b"host",
    b"priority",
    b"referer",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
    b"sec-gpc",
    b"upgrade-insecure-requests",
    b"user-agent",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
    b"x-request-id",
    deadline.REQUEST_TIMEOUT.encode(),
}
"""Fields that mean nothing here, or are read below; none is a credential."""


class PlainGet(NamedTuple):
    """A plain GET, to be answered within `timeout` seconds; `path` is as it was sent."""

    path: str
    get: Get
    timeout: float
    trace: Trace


class _Block(NamedTuple):
    """A request's header fields, read."""

    fields: dict[str, str]
    timeout: float
    trace: Trace


class Reader:
    """Reads plain GETs within `limits`, for a host that is one of `hosts`."""

    def __init__(self, limits: Limits, hosts: Hosts) -> None:
        self._limits = limits
        self._hosts = hosts
        self._blocks: Recent[bytes, _Block] = Recent(REMEMBERED_BYTES)

    def read(self, data: bytes) -> PlainGet | None:
        """Return the plain GET that is the whole of `data`, or None where it is something else."""
        begin = _BEGIN.match(data) if len(data) <= MAX_BYTES else None
        if begin is None or len(begin[0]) > self._limits.target_bytes:
            return None
        block = self._block(data[begin.end() :])
        if block is None:
            return None
        path, group, key, media = begin.groups()
        try:
            target = from_path(group.decode(), key.decode(), self._limits)
        except MalformedTarget:
            return None
        wish = Wish(block.fields.get("accept", ""), "media" if media else None)
        get = Get(target, wish, block.fields)
        return PlainGet(path.decode(), get, block.timeout, block.trace)

    def _block(self, encoded: bytes) -> _Block | None:
        block = self._blocks.get(encoded)
        if block is None:
            block = _read_block(encoded, self._limits)
            if block is not None and not self._hosts.serve(block.fields["host"]):
                return None
            if block is not None and block.trace is NO_TRACE:  # a trace is new in every request
                self._blocks.put(encoded, block, len(encoded) + _BLOCK_BYTES)
        return block


def _read_block(encoded: bytes, limits: Limits) -> _Block | None:
    """Return the block of the lines behind the first; None where one is unknown or not harmless."""
    if not encoded.endswith(_END) or len(encoded) > limits.header_bytes:
        return None
    headers = []
    for line in encoded.removesuffix(_END).split(b"\r\n"):
        match = _FIELD.fullmatch(line)
        if match is None or match[1].lower() not in _KNOWN:
            return None
        headers.append((match[1].lower(), match[2]))
    fields = joined(headers)
    if len(fields) < len(headers) or fields.get("connection", "keep-alive").lower() != "keep-alive":
        return None
    try:
        read_head("1.1", b"GET", b"/", headers)
        timeout = timeout_of(fields, limits)
    except Refused:
        return None
    return _Block(fields, timeout, trace_of(fields))
