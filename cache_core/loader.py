"""Asking a group's retriever safely: within limits, within a time, and with clear errors."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Final

from cache_core.errors import NotFound, Overloaded, RetrieverFailed, SourceUnavailable
from cache_core.places import Full, Places
from cache_core.retriever import FunctionRetriever, Retrieved, Retriever
from cache_core.singleflight import is_cancelled
from cache_core.value import Value

_loading: Final[ContextVar[frozenset[tuple[int, str]]]] = ContextVar("loading", default=frozenset())
"""The loads that the current task runs inside of, each as its loader's id and its key."""


class Loader:
    """Runs the retriever of the group `group`: `concurrency` loads at a time, `queue` waiting.

    What a retriever asks of its own group is loaded without a place of its own, for its parent
    has one and waits: loads inside loads never wait for one another's places.
    """

    def __init__(
        self, group: str, retriever: Retriever, *, concurrency: int, queue: int, timeout: float
    ) -> None:
        self._group = group
        self._retriever = retriever
        self._places = Places(concurrency, queue)
        self._hurried: Counter[str] = Counter()
        self._timeout = timeout
        self.can_stop = not isinstance(retriever, FunctionRetriever) or retriever.can_stop

    @contextmanager
    def waiting_for(self, key: str) -> Iterator[None]:
        """Wait for a load of `key` in the body.

        Inside a load of this group, the load of `key` then needs no place. Raises
        RetrieverFailed inside a load of `key` itself.
        """
        inside = {outer for loader, outer in _loading.get() if loader == id(self)}
        if key in inside:
            words = f"the retriever of group {self._group} asks for a key that it is loading"
            raise RetrieverFailed(words)
        if not inside:
            yield
            return
        self._hurried[key] += 1
        self._places.hurry(key)
        try:
            yield
        finally:
            self._hurried[key] -= 1
            if not self._hurried[key]:
                del self._hurried[key]

    async def load(self, key: str, begin: Callable[[], None]) -> Value:
        """Return what the source has for `key`; its `ttl` is what the source said, if it did.

        `begin` is called when the source is about to be asked. Raises NotFound,
        RetrieverFailed, SourceUnavailable (also past the timeout), Overloaded.
        """
        try:
            has_place = key not in self._hurried and await self._places.take(key)
        except Full as error:
            busy = self._places.busy
            words = f"group {self._group} has {busy} loads under way, try later"
            raise Overloaded(words) from error
        token = _loading.set(_loading.get() | {(id(self), key)})
        try:
            begin()
            return await self._retrieve(key)
        finally:
            _loading.reset(token)
            if has_place:
                self._places.give_back()

    async def aclose(self) -> None:
        """Let go of the source."""
        await self._retriever.aclose()

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
            raise self._returned(type(value.data).__name__, "bytes")
        if not (value.ttl is None or isinstance(value.ttl, int | float)) or value.ttl != value.ttl:
            raise self._returned(f"the ttl {value.ttl!r}", "seconds or None")
        if not isinstance(value.age, int | float) or not 0 <= value.age < inf:
            raise self._returned(f"the age {value.age!r}", "seconds from 0 on")
        return value

    def _returned(self, what: str, wanted: str) -> RetrieverFailed:
        return RetrieverFailed(
            f"the retriever of group {self._group} returned {what}, not {wanted}"
        )
