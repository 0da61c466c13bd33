"""What is sent of data that waits, once the other end takes more of it."""

from http2.frame_writer import read_frames

from cache_core.rpc.http2.framing.codes import DATA, DEFAULT_WINDOW
from cache_core.rpc.http2.framing.settings import Settings
from cache_core.rpc.http2.outlet import SHARE_BYTES, Outlet
from cache_core.rpc.http2.patience import Patience
from cache_core.rpc.http2.stream import Stream


def pass_over(_: Stream[None]) -> None:
    """Take no note of a stream."""


def outlet() -> Outlet[None]:
    return Outlet(Settings(), Patience(lambda: 0.0), lambda: 0.0, pass_over, pass_over)


def sent(by: Outlet[None]) -> dict[int, int]:
    """Return how many bytes of data were sent of each stream since the last look."""
    found: dict[int, int] = {}
    for each in read_frames(by.take()):
        if each.kind == DATA:
            found[each.stream] = found.get(each.stream, 0) + len(each.payload)
    return found


def test_streams_share_what_the_connection_takes_at_once() -> None:
    out = outlet()
    first, second = (Stream[None](number, 1 << 24, 0) for number in (1, 3))
    out.data(first, bytes(1 << 22))
    out.data(second, bytes(1 << 22))
    assert sent(out) == {1: DEFAULT_WINDOW}
    out.grant(None, 4 * SHARE_BYTES)
    assert sent(out) == {1: 2 * SHARE_BYTES, 3: 2 * SHARE_BYTES}


def test_a_stream_goes_on_once_the_other_end_opens_all_windows_further() -> None:
    out = outlet()
    stream = Stream[None](1, 10, 0)
    out.data(stream, bytes(100))
    assert sent(out) == {1: 10}
    out.shift([stream], 50)
    assert sent(out) == {1: 50}
    out.shift([stream], -30)
    assert sent(out) == {}
    out.shift([stream], 80)
    assert sent(out) == {1: 40}
