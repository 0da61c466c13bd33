"""What a client sends, taken in pieces: plain GETs whole for the lane, all else as it comes."""

from collections import deque
from typing import Final, NamedTuple

from gateway.http.fields import Headers
from gateway.http.limits import Limits
from gateway.lane.lane import Known, Lane
from gateway.server.connection.request_parser import Awaited, RequestParser, RequestPart

_EMPTY_LINE: Final = b"\r\n\r\n"
_PART_BYTES: Final = 64
"""The bytes that each part takes beside its own."""


class PlainRequest(NamedTuple):
    """A plain GET: its bytes, and what the lane has read."""

    data: bytes
    known: Known


class RequestIntake:
    """The bytes of one connection, read by `lane` or by the parser within `limits`."""

    def __init__(self, limits: Limits, lane: Lane | None) -> None:
        self._lane = lane
        self._parser = RequestParser(limits)
        self._ahead = _Ahead()
        self._goes_long_way = False

    @property
    def is_between(self) -> bool:
        """Whether no request has been taken in part."""
        return self._parser.awaited is Awaited.REQUEST

    @property
    def awaits_body(self) -> bool:
        """Whether a request's head was taken, and its body not whole."""
        return self._parser.awaited is Awaited.BODY

    @property
    def ahead_bytes(self) -> int:
        """The bytes of what has come and was not taken."""
        return self._ahead.size

    @property
    def request(self) -> tuple[bytes, Headers]:
        """The target and the headers of the request that was taken in part, as far as they go."""
        return (b"", ()) if self.is_between else (self._parser.target, self._parser.headers)

    def add(self, data: bytes) -> None:
        """Add bytes that have come."""
        self._ahead.append(data)

    def put_back(self, request: bytes) -> None:
        """Have `request`, which was taken as a plain one, taken once more by the parser."""
        self._ahead.put_back(request)
        self._goes_long_way = True

    def clear(self) -> None:
        """Let go of what has come."""
        self._ahead.clear()

    def take(self) -> PlainRequest | RequestPart:
        """Take the next piece of what has come. Raises Refused for what can't be served."""
        plain = self._plain() if self.is_between and not self._goes_long_way else None
        if plain is not None:
            return plain
        part = self._parser.read(self._ahead.first, self._ahead.start)
        self._ahead.take(part.end)
        self._goes_long_way = False
        return part

    def _plain(self) -> PlainRequest | None:
        if self._lane is None:
            return None
        data, start = self._ahead.first, self._ahead.start
        end = data.find(_EMPTY_LINE, start) + len(_EMPTY_LINE)
        if end < len(_EMPTY_LINE):
            return None
        request = data[start:end]
        known = self._lane.read(request)
        if known is None:
            return None
        self._ahead.take(end)
        return PlainRequest(request, known)


class _Ahead:
    """Parts of what a client has sent, as they came; `start` is how much of the first is taken.

    `size` is the bytes that all of it takes: a part is let go of once all of it is taken.
    """

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self.start = 0
        self.size = 0

    @property
    def first(self) -> bytes:
        """The first part, whole."""
        return self._parts[0]

    def append(self, part: bytes) -> None:
        """Add a part that has come."""
        self._parts.append(part)
        self.size += len(part) + _PART_BYTES

    def take(self, end: int) -> None:
        """Let the first part be taken as far as to its `end`."""
        self.start = end
        if end == len(self.first):
            self.start = 0
            self.size -= len(self._parts.popleft()) + _PART_BYTES

    def put_back(self, part: bytes) -> None:
        """Add a part that was taken before all others."""
        if self.start:
            self._parts[0] = self.first[self.start :]
            self.size -= self.start
            self.start = 0
        self._parts.appendleft(part)
        self.size += len(part) + _PART_BYTES

    def clear(self) -> None:
        """Let go of everything."""
        self._parts.clear()
        self.start = self.size = 0
