"""Trying the sources: each within a time, all at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.retriever import InvalidSource

CHECK_SECONDS: Final = 5.0
"""How long a source may take to say that it serves."""


async def check(
    trial: Callable[[], Awaitable[None]], *, seconds: float
) -> InvalidSource | SourceUnavailable | RetrieverFailed | None:
    """Return what `trial`, a source's `check`, raises; None where nothing is wrong.

    Of an error that no source should raise, the name alone is told.

    A source that takes longer than `seconds` is one that can't be reached now; it is cancelled,
    and left behind where it does not end.
    """
    trying = asyncio.ensure_future(trial())
    try:
        await asyncio.wait({trying}, timeout=seconds)
    finally:
        trying.cancel()
    if not trying.done():
        return SourceUnavailable(f"it did not answer within {seconds:g} s")
    try:
        await trying
    except (InvalidSource, SourceUnavailable, RetrieverFailed) as error:
        return error
    except Exception as error:  # noqa: BLE001 - a source's code may raise anything
        return RetrieverFailed(f"it raised {type(error).__name__}")  # its words may have secrets
    return None
