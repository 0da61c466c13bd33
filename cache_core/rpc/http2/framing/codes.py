"""The numbers of RFC 9113: kinds of frames, their flags, settings, error codes, and bounds."""

from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (section 3.4)."""

FRAME_HEAD_BYTES: Final = 9
"""Length, kind, flags and stream come before every frame's payload (section 4.1)."""

LEAST_MAX_FRAME: Final = 1 << 14
"""Every end takes payloads of so many bytes (section 4.2)."""

GREATEST_MAX_FRAME: Final = (1 << 24) - 1
DEFAULT_WINDOW: Final = (1 << 16) - 1
"""How many bytes of data may be under way before a setting says otherwise (section 6.9.2)."""

GREATEST_WINDOW: Final = (1 << 31) - 1
GREATEST_STREAM: Final = (1 << 31) - 1
DEFAULT_TABLE_BYTES: Final = 4096
"""The size of HPACK's table before a setting says otherwise (section 6.5.2)."""

# Kinds of frames (section 6). Plain numbers: a member of an enum takes 20 ns longer to compare.
DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

# Flags, each of some of these kinds.
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20


class Setting(IntEnum):
    """What an end may set (section 6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class ConnectionFault(Exception):
    """The other end broke a rule that ends the connection; `code` goes with the GOAWAY."""

    def __init__(self, code: ErrorCode, words: str) -> None:
        super().__init__(words)
        self.code = code


class StreamFault(Exception):
    """The other end broke a rule that ends one stream; `code` goes with the RST_STREAM."""

    def __init__(self, stream: int, code: ErrorCode, words: str) -> None:
        super().__init__(words)
        self.stream = stream
        self.code = code
