"""Asking a group's retriever safely: within limits, within a time, and with clear errors."""

import asyncio
from contextvars import ContextVar
from typing import Final

from cache_core.errors import NotFound, Overloaded, RetrieverFailed, SourceUnavailable
from cache_core.retriever import Retrieved, Retriever
from cache_core.singleflight import is_cancelled
from cache_core.value import Value

_loading: Final[ContextVar[frozenset[tuple[int, str]]]] = ContextVar("loading", default=frozenset())
"""The loads that the current task runs inside of, each as its loader's id and its key."""


class Loader:
    """Runs the retriever of the group `group`: `concurrency` loads at a time, `queue` waiting.

    A load that a retriever asks of its own group runs within its parent's place, so that loads
    inside loads cannot wait for one another's places.
    """

    def __init__(
        self, group: str, retriever: Retriever, *, concurrency: int, queue: int, timeout: float
    ) -> None:
        self._group = group
        self._retriever = retriever
        self._places = asyncio.Semaphore(concurrency)
        self._admitted = 0
        self._most = concurrency + queue
        self._timeout = timeout

    def refuse_cycle(self, key: str) -> None:
        """Raise RetrieverFailed inside a load of `key`, which would wait for itself."""
        if (id(self), key) in _loading.get():
            words = f"the retriever of group {self._group} asks for a key that it is loading"
            raise RetrieverFailed(words)

    async def load(self, key: str) -> Value:
        """Return what the source has for `key`; its `ttl` is what the source said, if it did.

        Raises NotFound, RetrieverFailed, SourceUnavailable (also past the timeout), Overloaded.
        """
        outer = _loading.get()
        token = _loading.set(outer | {(id(self), key)})
        try:
            if any(loader == id(self) for loader, _ in outer):
                return await self._retrieve(key)
            return await self._in_place(key)
        finally:
            _loading.reset(token)

    async def aclose(self) -> None:
        """Let go of the source."""
        await self._retriever.aclose()

    async def _in_place(self, key: str) -> Value:
        if self._admitted >= self._most:
            raise Overloaded(f"group {self._group} has {self._admitted} loads under way, try later")
        self._admitted += 1
        try:
            async with self._places:
                return await self._retrieve(key)
        finally:
            self._admitted -= 1

    async def _retrieve(self, key: str) -> Value:
        try:
            async with asyncio.timeout(self._timeout) as limit:
                found = await self._retriever.retrieve(key)
        except (NotFound, RetrieverFailed, GeneratorExit):
            raise
        except (ConnectionError, TimeoutError) as error:
            words = f"the source of group {self._group} is unavailable"
            if limit.expired():
                words = f"the source of group {self._group} gave no answer in {self._timeout:g} s"
            raise SourceUnavailable(words) from error
        except BaseException as error:
            # Even SystemExit is the retriever's failure and not the node's; only the
            # cancellation of this very flight is not.
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            raise RetrieverFailed(f"the source of group {self._group} failed") from error
        return self._checked(key, found)

    def _checked(self, key: str, found: Retrieved) -> Value:
        if found is None:
            raise NotFound.of(key)
        value = found if isinstance(found, Value) else Value(found)
        if not isinstance(value.data, bytes):
            raise RetrieverFailed(
                f"the retriever of group {self._group} returned {type(value.data).__name__}, "
                "not bytes"
            )
        return value
