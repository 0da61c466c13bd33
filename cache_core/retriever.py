"""How a group asks its source: the protocol, and the adapter that makes a function one."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

Retrieved: TypeAlias = bytes | None
"""A key's bytes, or None where the source has no such key."""

RetrieverFunction: TypeAlias = Callable[[str], Retrieved | Awaitable[Retrieved]]


class Retriever(Protocol):
    """Code that asks a source for one key at a time."""

    async def retrieve(self, key: str) -> Retrieved:
        """Return the key's bytes, or None where the source has no such key.

        Raises SourceUnavailable where the source can't answer now; whatever else it raises
        becomes a RetrieverFailed to the callers.
        """

    async def aclose(self) -> None:
        """Let go of the source. Called once, after the last retrieve."""


class FunctionRetriever:
    """A Retriever made of a plain function; one that isn't `async` runs in a thread."""

    def __init__(self, function: RetrieverFunction) -> None:
        self._function = function
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
        )

    async def retrieve(self, key: str) -> Retrieved:
        """Return what the function returns for `key`, awaited where it is awaitable."""
        if self._is_async:
            answer = self._function(key)
        else:
            answer = await asyncio.to_thread(self._function, key)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Do nothing: a function holds no source open."""
