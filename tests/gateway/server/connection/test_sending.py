"""What a client does not read waits within bounds, and not for ever."""

import asyncio

import pytest
from virtual_time import after, in_virtual_time

from cache_core.connection_memory import ConnectionMemory
from gateway.server.connection.sending import PART_BYTES, Sending

TIMEOUT = 30.0


class FakeTransport(asyncio.Transport):
    """A transport whose client reads as the test says; it calls back as the real ones do."""

    def __init__(self, *, has_halves: bool = True) -> None:
        super().__init__()
        self.sending: Sending
        self.sent: list[str] = []
        self.most = self.unread = 0
        self._high = 0
        self._is_paused = False
        self._has_halves = has_halves
        self._is_closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002 - as asyncio's
        self._high = high or 0

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unread += len(data)
        self.most = max(self.most, self.unread)
        self.sent.append(f"{len(data)}")
        if self.unread > self._high and not self._is_paused:
            self._is_paused = True
            self.sending.pause()

    def read(self, size: int) -> None:
        """Read as a client does."""
        self.unread -= size
        if self._is_paused and self.unread <= self._high // 4:
            self._is_paused = False
            self.sending.resume()

    def can_write_eof(self) -> bool:
        return self._has_halves

    def write_eof(self) -> None:
        self.sent.append("eof")

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True
        self.sent.append("close")

    def abort(self) -> None:
        self._is_closing = True
        self.sent.append("abort")


def sending(
    transport: FakeTransport, memory: ConnectionMemory | None = None
) -> tuple[Sending, ConnectionMemory]:
    held = memory or ConnectionMemory(10 * PART_BYTES)
    transport.sending = Sending(transport, asyncio.get_running_loop(), TIMEOUT, held)
    return transport.sending, held


async def test_a_large_answer_is_given_to_the_transport_in_parts_as_it_is_read() -> None:
    transport = FakeTransport()
    out, memory = sending(transport)
    out.write(b"head")
    out.write(b"x" * (3 * PART_BYTES + 5))
    draining = asyncio.ensure_future(out.drain())
    assert memory.total == 3 * PART_BYTES + 9
    while transport.unread:
        await asyncio.sleep(0)
        transport.read(transport.unread)
    await draining
    assert transport.most <= PART_BYTES + 4
    assert transport.sent == ["4", *[str(PART_BYTES)] * 3, "5"]
    assert (memory.total, out.is_paused) == (0, False)
    out.end()


@pytest.mark.parametrize(("has_halves", "end"), [(True, ["eof"]), (False, [])])
async def test_the_end_comes_behind_all_that_waits(has_halves: bool, end: list[str]) -> None:
    for transport, small in ((FakeTransport(has_halves=has_halves), size) for size in (0, 7)):
        out, _ = sending(transport)
        out.write(b"x" * (PART_BYTES + 1))
        out.write(b"y" * small)
        out.end_writing()
        transport.read(PART_BYTES)
        assert transport.sent[2 + bool(small) :] == end
        out.end()
    transport = FakeTransport()
    out, _ = sending(transport)
    out.write(b"x" * (PART_BYTES + 1))
    out.close()
    assert "close" not in transport.sent
    transport.read(PART_BYTES)
    assert transport.sent[-2:] == ["1", "close"]
    out.end()


@in_virtual_time
async def test_a_client_that_takes_nothing_is_cut_off_and_one_that_takes_little_is_not() -> None:
    slow, mute, closed = FakeTransport(), FakeTransport(), FakeTransport()
    for transport in (slow, mute, closed):
        out, _ = sending(transport)
        out.write(b"x" * 2 * PART_BYTES)
    closed.sending.close()
    for _ in range(5):
        await after(TIMEOUT - 1)
        slow.read(1)
    assert mute.sent[-1] == closed.sent[-1] == "abort"
    assert "abort" not in slow.sent
    slow.sending.end()


@in_virtual_time
async def test_what_is_left_when_the_connection_closes_does_not_wait_for_ever() -> None:
    transport = FakeTransport()
    out, memory = sending(transport)
    out.write(b"little")
    out.close()
    assert memory.total == len(b"little")
    await after(TIMEOUT)
    assert transport.sent == ["6", "close", "abort"]


@in_virtual_time
async def test_a_client_that_reads_all_but_a_little_once_it_is_closed_is_cut_off_too() -> None:
    transport = FakeTransport()
    out, _ = sending(transport)
    for _ in range(5):
        out.write(b"x" * 7_000)
    out.close()
    transport.read(5 * 7_000 - 1)
    await after(TIMEOUT)
    assert transport.sent[-2:] == ["close", "abort"]


@in_virtual_time
async def test_what_is_written_to_a_client_that_already_leaves_much_is_counted() -> None:
    transport = FakeTransport()
    out, memory = sending(transport)
    out.write(b"x" * 32_600)
    out.write(b"head" * 100)
    out.write(b"x" * 200_000)
    assert memory.total == 233_000
    transport.read(20_000)
    await after(TIMEOUT)
    assert "abort" not in transport.sent
    out.end()


async def test_of_a_large_answer_all_is_counted_until_its_last_part_has_gone() -> None:
    transport = FakeTransport()
    out, memory = sending(transport)
    out.write(b"x" * 4 * PART_BYTES)
    for _ in range(4):
        assert memory.total == 4 * PART_BYTES
        transport.read(transport.unread)
    assert memory.total == 0
    out.end()


@in_virtual_time
async def test_past_what_all_may_leave_the_longest_silent_are_cut_off() -> None:
    memory = ConnectionMemory(6 * PART_BYTES)
    mute, reading, last = FakeTransport(), FakeTransport(), FakeTransport()
    for transport in (mute, reading):
        out, _ = sending(transport, memory)
        out.write(b"x" * 2 * PART_BYTES)
    await after(10)
    reading.read(PART_BYTES)
    out, _ = sending(last, memory)
    out.write(b"x" * 3 * PART_BYTES)
    await after(0)
    assert mute.sent[-1] == "abort"
    assert "abort" not in (*reading.sent, *last.sent)
    for transport in (mute, reading, last):
        transport.sending.end()
    assert memory.total == 0
