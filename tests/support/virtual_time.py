"""Tests in virtual time: a minute's wait takes no time, and every run is the same."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec

from simulation.loop import VirtualLoop

P = ParamSpec("P")

LONGEST: Final = 3_600.0
"""The most virtual seconds that a test may take: something that it waits for never comes."""


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run the coroutine `test` in a VirtualLoop. It fails where it leaves a task behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = VirtualLoop()
        try:
            loop.run_until_complete(_whole(test(*args, **kwargs)))
        finally:
            loop.close()
        assert loop.strays == []

    return run


def now() -> float:
    """Return what the running loop's clock says."""
    return asyncio.get_running_loop().time()


async def after(seconds: float) -> None:
    """Return once so many seconds have passed, and all that was due by then has run."""
    await asyncio.sleep(seconds)
    for _ in range(20):
        await asyncio.sleep(0)


async def _whole(test: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(LONGEST):
            await test
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"the test has ended, these go on: {left}"
    finally:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.get_running_loop().shutdown_asyncgens()
