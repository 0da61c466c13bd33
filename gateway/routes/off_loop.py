"""Work on values that would hold the event loop up."""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
A = TypeVar("A")

OFF_LOOP_BYTES: Final = 32 * 1024
"""More are hashed, encoded and compressed in a thread: it takes milliseconds."""


async def worked(size: int, work: Callable[P, A], *arguments: P.args, **named: P.kwargs) -> A:
    """Return what `work` makes of `size` bytes."""
    if size > OFF_LOOP_BYTES:
        return await asyncio.to_thread(work, *arguments, **named)
    return work(*arguments, **named)
