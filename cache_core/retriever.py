"""How a group asks its source: the protocol, and the adapter that makes a function one."""

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeAlias

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

    The threads are its own, so that a function that hangs holds up no other group.
    """

    def __init__(self, function: RetrieverFunction, *, threads: int = DEFAULT_THREADS) -> None:
        self._function = function
        self._most_threads = threads
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
        )
        self._threads = self._new_threads()

    async def retrieve(self, key: str) -> Retrieved:
        """Return what the function returns for `key`, awaited where it is awaitable."""
        if self._is_async:
            answer = self._function(key)
        else:
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads, context.run, self._call, key)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Let the threads end, those that hang in their own time; a later call has new ones."""
        threads, self._threads = self._threads, self._new_threads()
        threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, key: str) -> Retrieved | Awaitable[Retrieved]:
        try:
            return self._function(key)
        except StopIteration as error:  # no future can carry it: its waiter would wait for ever
            raise RuntimeError("the function raised StopIteration") from error

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._most_threads, thread_name_prefix="gaocache-retriever")
