import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Final, TypeVar, cast

import uvloop

T = TypeVar("T")

SECONDS: Final = 30.0
"""How long a test may take on uvloop, which does not let pytest's own alarm through."""


class InTime(uvloop.Loop):
    """A uvloop that ends a test which hangs."""

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Run it as any loop does. Raises TimeoutError."""
        return super().run_until_complete(_in_time(cast("Awaitable[T]", future)))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests here on both event loops that a node runs on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": InTime}


async def _in_time(future: Awaitable[T]) -> T:
    async with asyncio.timeout(SECONDS):
        return await future
