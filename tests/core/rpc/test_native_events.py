"""How events come from the engine's queue into the loop."""

import asyncio
import queue
import threading
from collections.abc import Sequence

from cache_core.rpc.native.events import Events, NativeEvent


def event(call: int) -> NativeEvent:
    return 0, call, 0, b"", None, ((), "", None)


class FakeQueue:
    """Gives what is put into it, a batch each time; raises what is an error, None is its end."""

    def __init__(self) -> None:
        self.waits: queue.Queue[Sequence[NativeEvent] | Exception | None] = queue.Queue()
        self.takers: list[threading.Thread] = []
        self.closed = threading.Event()

    def recv_batch_details(
        self, _max_events: int, timeout_ms: int | None = None
    ) -> Sequence[NativeEvent] | None:
        """Return or raise what comes next."""
        try:
            found = self.waits.get(block=timeout_ms is None)
        except queue.Empty:
            return []
        self.takers.append(threading.current_thread())
        if found is None or isinstance(found, Exception):
            self.waits.put(found)  # it is so from now on
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """Give no more."""
        self.closed.set()
        self.waits.put(None)


class Taken:
    """Remembers the calls that were handed over, and by what it ended."""

    def __init__(self, until: int = 0) -> None:
        self.calls: list[int] = []
        self.until = until
        self.reached = asyncio.Event()
        self.threads: set[threading.Thread] = set()
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def take(self, events: Sequence[NativeEvent]) -> None:
        self.threads.add(threading.current_thread())
        self.calls += [call for _, call, *_ in events]
        if len(self.calls) >= self.until:
            self.reached.set()


async def test_events_come_into_the_loop_in_order_whichever_thread_takes_them() -> None:
    fake, taken = FakeQueue(), Taken(until=300)
    events = Events(fake, taken.take, taken.ended.set_result)
    for call in range(300):
        fake.waits.put([event(call)])
    events.start()
    await taken.reached.wait()
    fake.waits.put([event(300)])
    fake.close()
    assert await taken.ended is None
    await events.join()
    assert taken.calls == list(range(301))
    assert taken.threads == {threading.main_thread()}
    assert len(set(fake.takers)) == 2


async def test_the_end_is_told_with_its_error() -> None:
    fake, taken = FakeQueue(), Taken()
    events = Events(fake, taken.take, taken.ended.set_result)
    error = OSError("no more")
    fake.waits.put([event(1)])
    fake.waits.put(error)
    events.start()
    assert await taken.ended is error
    await events.join()
    assert taken.calls == [1]


def test_a_queue_whose_loop_was_closed_is_closed() -> None:
    fake = FakeQueue()

    async def leave_without_a_stop() -> None:
        taken = Taken()
        Events(fake, taken.take, taken.ended.set_result).start()

    asyncio.run(leave_without_a_stop())
    fake.waits.put([event(1)])
    assert fake.closed.wait(10)


async def test_events_come_after_one_that_could_not_be_taken() -> None:
    fake, taken = FakeQueue(), Taken(until=1)
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: told.append(context["exception"])
    )
    error = ZeroDivisionError()

    def take(events: Sequence[NativeEvent]) -> None:
        if events == [event(0)]:
            raise error
        taken.take(events)

    events = Events(fake, take, taken.ended.set_result)
    events.start()
    fake.waits.put([event(0)])
    fake.waits.put([event(1)])
    async with asyncio.timeout(10):
        await taken.reached.wait()
    fake.close()
    assert await taken.ended is None
    await events.join()
    assert told == [error]
    assert taken.calls == [1]
