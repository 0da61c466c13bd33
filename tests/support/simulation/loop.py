"""An event loop whose time is virtual, and processes in it that can be frozen and killed.

No sockets, no threads, no real time: with nothing ready to run, the clock goes to the next timer
at once. What runs, and when, depends on nothing but what was called before: the same seed gives
the same run in every process.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from math import inf
from typing import Any, Final, TypeVar

T = TypeVar("T")

START: Final = 1_000.0
"""What the clock says at first."""

_process: Final[ContextVar["Process | None"]] = ContextVar("process", default=None)


class Deadlock(Exception):
    """Nothing can run, no timer is set, and what was to be completed has not been."""


class Process:
    """A part of the run that lives, freezes and dies as one: a node or a client.

    Whatever is started in its context belongs to it, tasks of tasks too. `gone` is when it ended,
    `thawed` when it was frozen last.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.born = asyncio.get_running_loop().time()
        self.gone = inf
        self.is_alive = True
        self.is_frozen = False
        self.thawed = 0.0
        self.context = Context()
        self.context.run(_process.set, self)
        self._tasks: list[asyncio.Task[Any]] = []
        self._most = 64
        self._held: list[asyncio.Handle] = []

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run `work` as a task of this process."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())

    def own(self, task: "asyncio.Task[Any]") -> None:
        """Count `task` as this process's."""
        if len(self._tasks) >= self._most:
            self._tasks = [other for other in self._tasks if not other.done()]
            self._most = 64 + 2 * len(self._tasks)
        self._tasks.append(task)

    def hold(self, handle: asyncio.Handle) -> None:
        """Keep what should run now for when the process thaws."""
        self._held.append(handle)

    def freeze(self) -> None:
        """Run nothing from now on; clocks go on."""
        self.is_frozen = True

    def thaw(self, *, timers_first: bool = False) -> None:
        """Run what has come due, in order; or first the timers, as where others keep them."""
        self.thawed = asyncio.get_running_loop().time() if self.is_frozen else self.thawed
        self.is_frozen = False
        held, self._held = self._held, []
        if timers_first:
            held.sort(key=lambda handle: not isinstance(handle, asyncio.TimerHandle))
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.run_soon(held)

    def kill(self) -> None:
        """End at once: nobody hears from it any more, and its memory is gone."""
        self.is_alive = False
        self.gone = min(self.gone, asyncio.get_running_loop().time())
        self.thaw()
        for task in self._tasks:
            task.cancel()

    @property
    def remains(self) -> list["asyncio.Task[Any]"]:
        """The tasks that have not ended."""
        return [task for task in self._tasks if not task.done()]


def current_process() -> Process | None:
    """Return the process that what runs now belongs to."""
    return _process.get()


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs everything in the order in which it became due, as fast as it can.

    An exception that no one takes is kept in `strays`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strays: list[str] = []
        self._now = START
        self._count = 0
        self._soon: deque[asyncio.Handle] = deque()
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.set_exception_handler(_note_stray)

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._later, (when, self._count, timer))
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> "asyncio.Task[T]":
        process = _process.get()
        context = copy_context() if context is None else context
        if context.get(_process) is None:
            context.run(_process.set, process)
        else:
            process = context[_process]
        task = asyncio.Task(coro, loop=self, name=str(name), context=context)
        if process is not None:
            process.own(task)
        return task

    def run_soon(self, handles: list[asyncio.Handle]) -> None:
        """Run `handles` after what is ready already."""
        self._soon.extend(handles)

    def _run_once(self) -> None:
        if not self._soon:
            self._advance()
        soon = self._soon
        while soon and not self._stopping:  # type: ignore[attr-defined]
            handle = soon.popleft()
            if not handle.cancelled():
                _run(handle)

    def _advance(self) -> None:
        """Go to the next timer's time, and make ready all that is due then."""
        later = self._later
        while later and later[0][2].cancelled():
            heapq.heappop(later)
        if not later:
            raise Deadlock("nothing can run and no timer is set")
        self._now = max(self._now, later[0][0])
        while later and later[0][0] <= self._now:
            self._soon.append(heapq.heappop(later)[2])

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: what is cancelled is left out when its time comes."""

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there are no sockets."""


def _run(handle: asyncio.Handle) -> None:
    process = handle._context.get(_process)  # type: ignore[attr-defined] # noqa: SLF001
    if process is not None and process.is_frozen:
        process.hold(handle)
    elif not handle.cancelled():
        handle._run()  # noqa: SLF001 - a loop runs its handles


def _note_stray(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(loop, VirtualLoop):
        loop.strays.append(f"{context['message']}: {context.get('exception')!r}")
