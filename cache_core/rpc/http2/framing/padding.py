"""What may be around a frame's payload: padding and a priority (RFC 9113, sections 6.1 and 6.2)."""

from typing import Final

from cache_core.rpc.http2.framing.codes import (
    GREATEST_STREAM,
    PADDED,
    WITH_PRIORITY,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)

PRIORITY_BYTES: Final = 5
"""The stream that a stream depends on, and its weight (RFC 7540, section 6.3)."""


def check_priority(number: int, payload: bytes) -> None:
    """Raise StreamFault where a stream depends on itself or `payload` has not five bytes.

    Priorities are deprecated (RFC 9113, section 5.3.2), and mean nothing here.
    """
    if len(payload) != PRIORITY_BYTES:
        raise StreamFault(number, ErrorCode.FRAME_SIZE_ERROR, "a priority has five bytes")
    if int.from_bytes(payload[:4]) & GREATEST_STREAM == number:
        raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, "the stream depends on itself")


def bare(flags: int, number: int, payload: bytes) -> bytes:
    """Return a header's payload without its padding and its priority. Raises ConnectionFault.

    A fault of the stream alone would leave the block unread, and the two ends' tables apart.
    """
    if flags & PADDED:
        payload = unpadded(payload, PRIORITY_BYTES if flags & WITH_PRIORITY else 0)
    if not flags & WITH_PRIORITY:
        return payload
    try:
        check_priority(number, payload[:PRIORITY_BYTES])
    except StreamFault as fault:
        raise ConnectionFault(fault.code, str(fault)) from fault
    return payload[PRIORITY_BYTES:]


def unpadded(payload: bytes, others: int = 0) -> bytes:
    """Return `payload` without its padding, which may not reach into `others` that come first.

    Raises ConnectionFault (sections 6.1 and 6.2).
    """
    if not payload or payload[0] + others >= len(payload) > others:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]
