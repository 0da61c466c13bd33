"""What an end takes of the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from cache_core.rpc.http2.framing.codes import Setting


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an end takes of the other. All is told to it in SETTINGS, and it is held to it.

    `streams` may be open at a time; a header may have `header_bytes`, by the measure of RFC 9113
    (section 6.5.2). `window` bytes of data may be under way on one stream, `connection_window` on
    all together.
    """

    streams: int = 1000
    header_bytes: int = 32 * 1024
    window: int = 1 << 20
    connection_window: int = 1 << 24

    def settings(self) -> Mapping[int, int]:
        """Return what SETTINGS say of them: also that this end keeps no table and takes no push."""
        return {
            Setting.HEADER_TABLE_SIZE: 0,
            Setting.ENABLE_PUSH: 0,
            Setting.MAX_CONCURRENT_STREAMS: self.streams,
            Setting.INITIAL_WINDOW_SIZE: self.window,
            Setting.MAX_HEADER_LIST_SIZE: self.header_bytes,
        }
