"""How a group asks its source: the protocol, and the adapter that makes a function one."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeAlias, cast

from cache_core.errors import SourceUnavailable
from cache_core.value import Value

Retrieved: TypeAlias = bytes | Value | None
"""A key's bytes; a Value where the source says for how long (`ttl`); None for no such key."""

RetrieverFunction: TypeAlias = Callable[[str], Retrieved | Awaitable[Retrieved]]

DEFAULT_THREADS: Final = 64


class Retriever(Protocol):
    """Code that asks a source for one key at a time."""

    async def retrieve(self, key: str) -> Retrieved:
        """Return the key's bytes, with a TTL or without, or None if the source has no such key.

        Raises SourceUnavailable where the source can't answer now, or NotFound; whatever else
        it raises becomes a RetrieverFailed to the callers.
        """

    async def aclose(self) -> None:
        """Let go of the source. Called once, after the last retrieve."""


class FunctionRetriever:
    """A Retriever made of a plain function; one that isn't `async` runs in up to `threads`.

    The threads are its own, so that a function that hangs holds up no other group. As many
    again are for calls from within calls.
    """

    def __init__(self, function: RetrieverFunction, *, threads: int = DEFAULT_THREADS) -> None:
        self._function = function
        self.can_stop = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
        )
        self._most = 2 * threads
        self._idle = threading.BoundedSemaphore(self._most)
        self._threads: ThreadPoolExecutor | None = None

    async def retrieve(self, key: str) -> Retrieved:
        """Return what the function returns for `key`, awaited where it is awaitable.

        Raises SourceUnavailable where all threads are taken by calls that nobody waits for.
        """
        answer = self._function(key) if self.can_stop else await self._call_in_thread(key)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Let the threads end, those that hang in their own time; a later call has new ones."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _call_in_thread(self, key: str) -> Retrieved | Awaitable[Retrieved]:
        if not self._idle.acquire(blocking=False):
            raise SourceUnavailable(f"all {self._most} threads of the function are taken")
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="gaocache-retriever")
        call = self._threads.submit(contextvars.copy_context().run, self._call, key)
        call.add_done_callback(lambda _: self._idle.release())
        return await asyncio.wrap_future(call)

    def _call(self, key: str) -> Retrieved | Awaitable[Retrieved]:
        try:
            return self._function(key)
        except StopIteration as error:  # no future can carry it: its waiter would wait for ever
            raise RuntimeError("the function raised StopIteration") from error


def as_retriever(given: Retriever | RetrieverFunction, *, threads: int) -> Retriever:
    """Return `given` where it is a Retriever, else one that calls it, as FunctionRetriever says."""
    if hasattr(given, "retrieve"):
        return cast("Retriever", given)  # also one that happens to be callable
    return FunctionRetriever(given, threads=threads)
