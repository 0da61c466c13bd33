"""Frames as bytes (RFC 9113, section 6), to be sent."""

import struct
from collections.abc import Mapping
from typing import Final

from cache_core.rpc.http2.framing.codes import (
    ACK,
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    LEAST_MAX_FRAME,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
)

HEAD: Final = struct.Struct(">HBBBI")
"""A frame's head; the length's three bytes are read as two and one."""

MAX_DEBUG_BYTES: Final = 256
"""The most bytes of words that a GOAWAY carries."""

_NUMBER: Final = struct.Struct(">I")
_PAIR: Final = struct.Struct(">II")
_SETTING: Final = struct.Struct(">HI")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame with `payload`."""
    return frame_head(kind, flags, stream, len(payload)) + payload


def frame_head(kind: int, flags: int, stream: int, size: int) -> bytes:
    """Return the head of a frame whose payload has `size` bytes."""
    return HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream)


def headers(stream: int, block: bytes, *, end: bool, max_frame: int = LEAST_MAX_FRAME) -> bytes:
    """Return the frames of a header block: one of HEADERS, and as many CONTINUATION as needed."""
    ending = END_STREAM if end else 0
    if len(block) <= max_frame:
        return frame(HEADERS, ending | END_HEADERS, stream, block)
    parts = [block[start : start + max_frame] for start in range(0, len(block), max_frame)]
    last = len(parts) - 1
    return frame(HEADERS, ending, stream, parts[0]) + b"".join(
        frame(CONTINUATION, END_HEADERS if place == last else 0, stream, parts[place])
        for place in range(1, len(parts))
    )


def settings(values: Mapping[int, int]) -> bytes:
    """Return a SETTINGS of `values` by their numbers."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in values.items()))


def settings_ack() -> bytes:
    """Return the SETTINGS that says that the other end's settings hold."""
    return frame(SETTINGS, ACK, 0)


def ping(data: bytes, *, ack: bool) -> bytes:
    """Return a PING with its eight bytes of `data`."""
    return frame(PING, ACK if ack else 0, 0, data)


def rst_stream(stream: int, code: ErrorCode) -> bytes:
    """Return the RST_STREAM that ends `stream` at once."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def window_update(stream: int, more: int) -> bytes:
    """Return the WINDOW_UPDATE that lets the other end send `more` bytes; 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(more))


def goaway(last: int, code: ErrorCode, words: str = "") -> bytes:
    """Return the GOAWAY after which streams above `last` are not answered."""
    return frame(GOAWAY, 0, 0, _PAIR.pack(last, code) + words.encode()[:MAX_DEBUG_BYTES])
