"""How a group asks its source: the Retriever protocols, and the adapter for a plain function.

Knows no kind of source and no limits but the adapter's threads.
"""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeAlias, cast, runtime_checkable

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.value import Value

Retrieved: TypeAlias = bytes | Value | None
"""A key's bytes; a Value where the source says more about them; None for no such key.

Of a Value, `data`, `ttl`, `age`, `version` and the `content_type` of its `terms` count.
"""

RetrieverFunction: TypeAlias = Callable[[str], Retrieved | Awaitable[Retrieved]]

DEFAULT_THREADS: Final = 64


class Retriever(Protocol):
    """Code that asks a source for one key at a time."""

    async def retrieve(self, key: str) -> Retrieved:
        """Return the key's bytes, alone or in a Value, or None if the source has no such key.

        Raises SourceUnavailable where the source can't answer now, and may raise NotFound in place
        of None. To the callers, ConnectionError and TimeoutError become SourceUnavailable too, and
        all other errors become RetrieverFailed.
        """

    async def aclose(self) -> None:
        """Let go of the source. Called once, after the last retrieve."""


@runtime_checkable
class BatchRetriever(Retriever, Protocol):
    """A Retriever that can ask for many keys at once."""

    async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return what the source has for each of `keys`: one key or more, all different.

        A key that is left out does not exist. A RetrieverFailed in place of a value holds for that
        key alone. An error that is raised holds for every key, as with `retrieve`.
        """


@runtime_checkable
class Refresher(Retriever, Protocol):
    """A Retriever that can ask the source whether a value that is held is still right."""

    async def refresh(self, key: str, held: Value) -> Retrieved:
        """Return the key's bytes as `retrieve` does, or `held` with new times if it is still right.

        `held` has the `version` that the source gave; its `ttl` and `age` are those of now.
        """


@runtime_checkable
class CheckedRetriever(Retriever, Protocol):
    """A Retriever made from a config's `[groups.NAME.source]`, to be checked before its use."""

    async def check(self) -> None:
        """Ask the source whether it can serve, without reading a value.

        Raises InvalidSource where a setting is at fault (a password too), SourceUnavailable
        where the source can't be reached now.
        """


class InvalidSource(ValueError):
    """A source's settings can't work; `setting` is the key of its table that is at fault.

    Its words repeat no URL and no other secret.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


class FunctionRetriever:
    """A Retriever made from a plain function; one that isn't `async` runs in threads.

    The threads are its own, so that a function that hangs holds up no other group. There are up to
    `threads`, and as many again for calls from within calls.
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

        Raises SourceUnavailable where all threads are taken, as by calls that hang and that nobody
        waits for any more.
        """
        answer = self._function(key) if self.can_stop else await self._call_in_thread(key)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Let the threads end, a busy one once its call ends; a later call gets new threads."""
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
    """Return `given` if it is a Retriever, else a FunctionRetriever that calls it."""
    if hasattr(given, "retrieve"):
        return cast("Retriever", given)  # also one that happens to be callable
    return FunctionRetriever(given, threads=threads)
