"""Work on values that would hold the event loop up: hashing, encoding, compressing.

A thread costs a hand-over, so only large values are worth one. Small ones are worked on where they
are.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
A = TypeVar("A")

OFF_LOOP_BYTES: Final = 32 * 1024
"""Values of more bytes are worked on in a thread, because the work takes milliseconds."""


async def worked(size: int, work: Callable[P, A], *arguments: P.args, **named: P.kwargs) -> A:
    """Return the result of `work` on its arguments, which hold a value of `size` bytes.

    A large value is worked on in a thread. Raises what `work` raises.
    """
    if size > OFF_LOOP_BYTES:
        return await asyncio.to_thread(work, *arguments, **named)
    return work(*arguments, **named)
