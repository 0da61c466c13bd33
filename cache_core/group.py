"""Group.get: the algorithm. Knows no sockets, no HTTP and no gRPC."""

import asyncio

from cache_core.cache import Cache
from cache_core.errors import (
    KeyRequired,
    NotFound,
    RetrieverFailed,
    SourceUnavailable,
)
from cache_core.events import Event, Hit, Hook, LoadFailed, LoadStarted
from cache_core.eviction.lru import LRU
from cache_core.retriever import FunctionRetriever, Retriever, RetrieverFunction
from cache_core.singleflight import Flights
from cache_core.value import Value

DEFAULT_CAPACITY = 64 * 1024 * 1024


class Group:
    """A named set of keys with one retriever and a budget of `capacity` bytes.

    `retriever` is a Retriever or a plain function from a key to its bytes, or to None where
    the source has no such key.
    """

    def __init__(
        self,
        name: str,
        retriever: Retriever | RetrieverFunction,
        *,
        capacity: int = DEFAULT_CAPACITY,
    ) -> None:
        self.name = name
        self._hooks: list[Hook] = []
        self._retriever = FunctionRetriever(retriever) if callable(retriever) else retriever
        self._cache = Cache(capacity, LRU())
        self._flights: Flights[Value] = Flights()

    def observe(self, hook: Hook) -> None:
        """Tell `hook` of every event in this group from now on."""
        self._hooks.append(hook)

    def peek(self, key: str) -> Value | None:
        """Return the value held for `key` without waiting, or None where it must be loaded."""
        value = self._cache.get(key)
        if value is not None and self._hooks:
            self._emit(Hit(self.name, key))
        return value

    async def get(self, key: str) -> Value:
        """Return the key's value, loading it once however many ask meanwhile.

        Raises KeyRequired, NotFound, RetrieverFailed or SourceUnavailable.
        """
        if not key:
            raise KeyRequired
        value = self.peek(key)
        if value is not None:
            return value
        return await self._flights.join(key, lambda: self._load(key))

    async def aclose(self) -> None:
        """Let go of the source."""
        await self._retriever.aclose()

    async def _load(self, key: str) -> Value:
        held = self.peek(key)
        if held is not None:
            return held
        self._emit(LoadStarted(self.name, key))
        try:
            value = Value(await self._retrieve(key))
        except RetrieverFailed as error:
            self._emit(LoadFailed(self.name, key, error))
            raise
        self._cache.set(key, value)
        return value

    async def _retrieve(self, key: str) -> bytes:
        try:
            data = await self._retriever.retrieve(key)
        except (NotFound, RetrieverFailed, GeneratorExit):
            raise
        except (ConnectionError, TimeoutError) as error:
            raise SourceUnavailable(f"the source of group {self.name} is unavailable") from error
        except BaseException as error:
            # Even SystemExit is the retriever's failure and not the node's; only the
            # cancellation of this very flight is not.
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            raise RetrieverFailed(f"the source of group {self.name} failed") from error
        if data is None:
            raise NotFound.of(key)
        if not isinstance(data, bytes):
            raise RetrieverFailed(
                f"the retriever of group {self.name} returned {type(data).__name__}, not bytes"
            )
        return data

    def _emit(self, event: Event) -> None:
        for hook in self._hooks:
            hook(event)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
