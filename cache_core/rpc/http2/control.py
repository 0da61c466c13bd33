"""The frames that are no call's: settings, windows, pings, resets and farewells."""

from typing import Final, Generic, TypeVar

from cache_core.rpc.http2.framing import frames
from cache_core.rpc.http2.framing.codes import (
    ACK,
    CONTINUATION,
    GOAWAY,
    GREATEST_STREAM,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from cache_core.rpc.http2.framing.padding import check_priority
from cache_core.rpc.http2.intake import Intake
from cache_core.rpc.http2.listener import Head

H = TypeVar("H", bound=Head)
C = TypeVar("C")

RAPID_SECONDS: Final = 0.01
"""A stream that is ended before was not begun for an answer (CVE-2023-44487)."""

LATE_RESET: Final = 0.02
"""What another costs: whoever hangs up after a while gives up what was to be loaded for him."""

FEW_BYTES: Final = 64
FEW_STREAMS: Final = 64
A_FRAME_OF: Final = 16
"""So many streams to be looked at for one frame cost as much as another frame to be borne."""

SIZES: Final = {RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
"""The kinds of frames whose payload has one size (RFC 9113, sections 6.4, 6.7 and 6.9)."""

OF_THE_CONNECTION: Final = frozenset((SETTINGS, PING, GOAWAY))
OF_A_STREAM: Final = frozenset((PRIORITY, RST_STREAM))


class Control(Intake[H, C], Generic[H, C]):
    """A connection that also takes the frames which are no call's."""

    def _take_other(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == CONTINUATION:
            self._take_continuation(flags, payload)
            return
        if (number and kind in OF_THE_CONNECTION) or (not number and kind in OF_A_STREAM):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the frame's stream is a wrong one")
        if len(payload) != SIZES.get(kind, len(payload)):
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "the frame's size is a wrong one")
        if kind == WINDOW_UPDATE:
            self._take_grant(number, int.from_bytes(payload) & GREATEST_STREAM)
        elif kind == RST_STREAM:
            self._take_reset(number, int.from_bytes(payload))
        elif kind == SETTINGS:
            self._take_settings(flags, payload)
        elif kind == PING:
            self._take_ping(flags, payload)
        elif kind == GOAWAY:
            self._take_goaway(payload)
        else:
            self._take_nothing(kind, number, payload)

    def _take_goaway(self, payload: bytes) -> None:
        if len(payload) < 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a GOAWAY has eight bytes")
        self.patience.bear("goodbyes")
        last = int.from_bytes(payload[:4]) & GREATEST_STREAM
        self._listener.goaway(last, int.from_bytes(payload[4:8]), payload[8:])

    def _take_nothing(self, kind: int, number: int, payload: bytes) -> None:
        """Bear a PRIORITY, or a kind that is not known, which mean nothing (section 4.1)."""
        if kind == PUSH_PROMISE:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "nothing may be pushed")
        if kind == PRIORITY:
            check_priority(number, payload)
        self.patience.bear("frames that mean nothing")

    def _take_grant(self, number: int, more: int) -> None:
        """Take a WINDOW_UPDATE; one that lets nothing leave has to be borne, another is of use.

        One that lets few bytes leave, while many streams wait for the like, is so only in part.
        """
        outlet = self.outlet
        parts, queued = len(outlet.parts), outlet.queued
        self._grant(number, more)
        if len(outlet.parts) == parts:
            self.patience.bear("window updates")
        elif queued - outlet.queued < FEW_BYTES and outlet.waiting > FEW_STREAMS:
            self.patience.bear("window updates", outlet.waiting / A_FRAME_OF)

    def _grant(self, number: int, more: int) -> None:
        if number == 0:
            if more == 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a window can't grow by nothing")
            self.outlet.grant(None, more)
            return
        if self._is_idle(number):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the stream was not begun")
        if more == 0:
            words = "a window can't grow by nothing"
            raise StreamFault(number, ErrorCode.PROTOCOL_ERROR, words)
        stream = self.streams.get(number)
        if stream is not None:
            self.outlet.grant(stream, more)

    def _take_reset(self, number: int, code: int) -> None:
        if self._is_idle(number):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the stream was not begun")
        stream = self.streams.get(number)
        is_rapid = stream is None or self.now - stream.since < RAPID_SECONDS
        self.patience.bear("resets", 1.0 if is_rapid else LATE_RESET)
        if stream is not None:
            self.close(stream)
            known = code <= ErrorCode.HTTP_1_1_REQUIRED
            self._listener.reset(stream, ErrorCode(code if known else 2), "")

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "an ACK says nothing")
            self.patience.bear("acknowledgements")
            return
        self.patience.bear("settings", 1 + len(payload) / 6)
        self.is_settled = True
        before = self.theirs.initial_window_size
        self.theirs.take(payload)
        self.outlet.parts.append(frames.settings_ack())
        shift = self.theirs.initial_window_size - before
        if shift:
            self.patience.bear("settings", len(self.streams) / A_FRAME_OF)
            # Behind the ACK: only then the other end reckons with wider windows (6.5.3).
            self.outlet.shift(list(self.streams.values()), shift)

    def _take_ping(self, flags: int, payload: bytes) -> None:
        if flags & ACK:
            self.patience.bear("answers to pings")
            self._listener.pong(payload)
        else:
            self.patience.bear("pings")
            self.outlet.parts.append(frames.ping(payload, ack=True))
