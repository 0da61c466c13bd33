"""HTTP/2 frames as bytes, legal or not (RFC 9113, section 6), and bytes as frames."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from cache_core.rpc.http2.framing.codes import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
)

FRAME_HEAD: Final = 9


class Frame(NamedTuple):
    """A frame as it was read."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def number(self) -> int:
        """The last four bytes of the payload: an error's code, or what a window grows by."""
        return int.from_bytes(self.payload[-4:])


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    size = len(payload).to_bytes(3)
    return size + bytes((kind, flags)) + stream.to_bytes(4) + payload


def read_frames(data: bytes) -> list[Frame]:
    """Return the frames that `data` has, of which the last must be whole; a preface is left out."""
    data = data.removeprefix(PREFACE)
    found = []
    while data:
        end = FRAME_HEAD + int.from_bytes(data[:3])
        assert len(data) >= end, "a frame was sent in part"
        found.append(
            Frame(data[3], data[4], int.from_bytes(data[5:9]), bytes(data[FRAME_HEAD:end]))
        )
        data = data[end:]
    return found


def number(value: int) -> bytes:
    return value.to_bytes(4)


def data(
    stream: int, payload: bytes = b"", *, end: bool = False, padding: int | None = None
) -> bytes:
    flags = END_STREAM if end else 0
    if padding is None:
        return frame(DATA, flags, stream, payload)
    return frame(DATA, flags | PADDED, stream, bytes((padding,)) + payload + bytes(padding))


def headers(
    stream: int,
    block: bytes,
    *,
    end: bool = True,
    whole: bool = True,
    depends_on: int | None = None,
) -> bytes:
    flags = (END_STREAM if end else 0) | (END_HEADERS if whole else 0)
    if depends_on is not None:
        flags |= WITH_PRIORITY
        block = number(depends_on) + b"\x0f" + block
    return frame(HEADERS, flags, stream, block)


def continuation(stream: int, block: bytes = b"", *, whole: bool = True) -> bytes:
    return frame(CONTINUATION, END_HEADERS if whole else 0, stream, block)


def priority(stream: int, depends_on: int = 0) -> bytes:
    return frame(PRIORITY, 0, stream, number(depends_on) + b"\x0f")


def rst_stream(stream: int, code: int = 8) -> bytes:
    return frame(RST_STREAM, 0, stream, number(code))


def settings(values: Mapping[Any, int] | Iterable[tuple[int, int]] = ()) -> bytes:
    pairs = values.items() if isinstance(values, Mapping) else values
    said = b"".join(place.to_bytes(2) + number(value) for place, value in pairs)
    return frame(SETTINGS, 0, 0, said)


def settings_ack() -> bytes:
    return frame(SETTINGS, ACK, 0)


def push_promise(stream: int, promised: int, block: bytes) -> bytes:
    return frame(PUSH_PROMISE, END_HEADERS, stream, number(promised) + block)


def ping(payload: bytes = b"12345678", *, ack: bool = False) -> bytes:
    return frame(PING, ACK if ack else 0, 0, payload)


def goaway(last: int = 0, code: int = 0, words: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, number(last) + number(code) + words)


def window_update(stream: int, more: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, number(more))


HELLO: Final = PREFACE + settings() + settings_ack()
"""What a client says first."""

GREETING: Final = settings() + settings_ack()
"""What a server says first."""
