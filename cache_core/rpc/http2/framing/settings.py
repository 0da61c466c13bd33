"""What the two ends of a connection tell each other that they take (RFC 9113, section 6.5)."""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from cache_core.rpc.http2.framing.codes import (
    DEFAULT_TABLE_BYTES,
    DEFAULT_WINDOW,
    GREATEST_MAX_FRAME,
    GREATEST_WINDOW,
    LEAST_MAX_FRAME,
    ConnectionFault,
    ErrorCode,
    Setting,
)

_PAIR: Final = struct.Struct(">HI")

_SETTINGS: Final = {int(setting): setting for setting in Setting}

MAX_PAIRS: Final = 64
"""How many settings one frame may hold, of which six are known."""


class Range(NamedTuple):
    """The values that a setting may have, and the error where it has another."""

    least: int
    greatest: int
    error: ErrorCode


RANGES: Final = {
    Setting.ENABLE_PUSH: Range(0, 1, ErrorCode.PROTOCOL_ERROR),
    Setting.INITIAL_WINDOW_SIZE: Range(0, GREATEST_WINDOW, ErrorCode.FLOW_CONTROL_ERROR),
    Setting.MAX_FRAME_SIZE: Range(LEAST_MAX_FRAME, GREATEST_MAX_FRAME, ErrorCode.PROTOCOL_ERROR),
}
"""The settings that have bounds (section 6.5.2); the others take any number of 32 bits."""


@dataclass(slots=True)
class Settings:
    """What an end takes; at first, what it takes before it has said anything."""

    header_table_size: int = DEFAULT_TABLE_BYTES
    enable_push: int = 1
    max_concurrent_streams: int = 1 << 32
    initial_window_size: int = DEFAULT_WINDOW
    max_frame_size: int = LEAST_MAX_FRAME
    max_header_list_size: int = 1 << 32

    def take(self, payload: bytes) -> None:
        """Take over what a SETTINGS frame says, in its order; unknown settings are passed over.

        Raises ConnectionFault.
        """
        if len(payload) % _PAIR.size:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS are pairs of six bytes")
        if len(payload) > MAX_PAIRS * _PAIR.size:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many settings in one frame")
        for number, value in _PAIR.iter_unpack(payload):
            setting = _SETTINGS.get(number)
            if setting is None:
                continue
            allowed = RANGES.get(setting)
            if allowed is not None and not allowed.least <= value <= allowed.greatest:
                raise ConnectionFault(allowed.error, f"{setting.name} can't be {value}")
            setattr(self, setting.name.lower(), value)
