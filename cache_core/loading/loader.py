"""Asking a group's source safely: within limits, within a time, and with clear errors.

Knows no kind of source and no entries.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Final

from cache_core.errors import NotFound, Overloaded, RetrieverFailed, SourceUnavailable
from cache_core.loading.batching import Batches, LoadBatch
from cache_core.loading.limiter import CapacityLimiter, Full
from cache_core.loading.origin import Begin, Many, Origin
from cache_core.loading.retriever import Retrieved
from cache_core.loading.singleflight import is_cancelled
from cache_core.loading.validation import checked
from cache_core.settings import GroupSettings
from cache_core.value import Value

_loading: Final[ContextVar[frozenset[tuple[int, str]]]] = ContextVar("loading", default=frozenset())
"""The loads that the current task runs inside of, each as its loader's id and its key."""


class Loader:
    """Asks `origin` for the group `group`, within the limits of its `settings`.

    Where the origin takes many keys at once, one look-up is for all keys that wait. A retriever may
    ask its own group for another key. That key is loaded by itself and takes no place, because the
    load around it has one and waits: so loads inside loads never wait for one another's places.
    """

    def __init__(self, group: str, origin: Origin, settings: GroupSettings) -> None:
        queue = settings.load_queue
        self._group = group
        self._origin = origin
        self.can_stop = origin.can_stop
        self._limiter = CapacityLimiter(settings.load_concurrency, queue)
        self._batches = {
            anew: Batches(partial(self._ask, ask), self._limiter, queue=queue)
            for anew, ask in {False: origin.load_many, True: origin.reload_many}.items()
        }
        self._hurried: Counter[str] = Counter()
        self._timeout = settings.load_timeout
        self._running = 0
        self._idle = asyncio.Event()

    @contextmanager
    def waiting_for(self, key: str) -> Iterator[None]:
        """Say that the body waits for a load of `key`.

        Inside a load of this group, the load of `key` then needs no place. Raises
        RetrieverFailed inside a load of `key` itself.
        """
        inside = self._inside()
        if key in inside:
            words = f"the retriever of group {self._group} asks for a key that it is loading"
            raise RetrieverFailed(words)
        if not inside:
            yield
            return
        self._hurried[key] += 1
        self._limiter.hurry(key)
        for batches in self._batches.values():
            batches.hurry(key)
        try:
            yield
        finally:
            self._hurried[key] -= 1
            if not self._hurried[key]:
                del self._hurried[key]

    async def load(
        self, key: str, begin: Begin, *, anew: bool = False, held: Value | None = None
    ) -> Value:
        """Return the source's value for `key`; its `ttl` is the one that the source named, or None.

        `begin` is called when the source is about to be asked. With `anew` the source is asked even
        if a second tier has the key. `held` is the value that is held at the time, if any. Raises
        NotFound, RetrieverFailed, SourceUnavailable (also past the timeout), Overloaded.
        """
        self._running += 1
        try:
            found = await self._find(key, begin, anew=anew, held=held)
        except Full as error:
            busy = self._running - 1
            words = f"group {self._group} has {busy} loads under way, try later"
            raise Overloaded(words) from error
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        return checked(found, key, group=self._group)

    async def aclose(self) -> None:
        """End the look-ups for many keys that run, and let go of the source."""
        for batches in self._batches.values():
            await batches.aclose()
        await self._origin.aclose()

    async def retire(self) -> None:
        """Let go of the source once the loads that run have ended; no other may be begun."""
        try:
            while self._running:
                self._idle.clear()
                await self._idle.wait()
        finally:
            await self.aclose()

    async def _find(self, key: str, begin: Begin, *, anew: bool, held: Value | None) -> Retrieved:
        # A load inside another, of whatever group, goes alone, because a batch has its own context.
        can_refresh = self._origin.can_refresh(held)
        is_alone = key in self._hurried or _loading.get() or can_refresh
        if self._origin.takes_many and not is_alone:
            return await self._batches[anew].load(key, begin)
        has_place = key not in self._hurried and await self._limiter.take(key)
        try:
            async with self._asking(key):
                if anew or can_refresh:
                    return await self._origin.reload(key, begin, held)
                return await self._origin.load(key, begin)
        finally:
            if has_place:
                self._limiter.give_back()

    async def _ask(self, ask: LoadBatch, begins: Mapping[str, Begin]) -> Many:
        async with self._asking(*begins):
            found: object = await ask(begins)
            if not isinstance(found, Mapping):
                words = f"returned {type(found).__name__}, not a mapping"
                raise RetrieverFailed(f"the retriever of group {self._group} {words}")
            return found

    def _inside(self) -> set[str]:
        """Return the keys of this group that the current task loads."""
        return {key for loader, key in _loading.get() if loader == id(self)}

    @asynccontextmanager
    async def _asking(self, *keys: str) -> AsyncIterator[None]:
        """Ask the source for `keys` in the body, within the time limit; translate its errors."""
        token = _loading.set(_loading.get() | {(id(self), key) for key in keys})
        try:
            async with asyncio.timeout(self._timeout) as limit:
                yield
        except (NotFound, RetrieverFailed, GeneratorExit):
            raise
        except (ConnectionError, TimeoutError) as error:
            words = f"the source of group {self._group} is unavailable"
            if limit.expired():
                words = f"the source of group {self._group} gave no answer in {self._timeout:g} s"
            raise SourceUnavailable(words) from error
        except BaseException as error:
            # Even SystemExit is the retriever's failure and not the node's. Only the cancellation
            # of this very flight is no failure.
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            raise RetrieverFailed(f"the source of group {self._group} failed") from error
        finally:
            _loading.reset(token)
