"""Making a retriever of a source's settings, and trying whether its source can serve."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import CheckedRetriever, InvalidSource
from cache_core.sources import (
    FilesSource,
    HttpSource,
    PythonSource,
    Source,
    SqlSource,
    ValkeySource,
)

CHECK_SECONDS: Final = 5.0
"""How long a source may take to say that it serves."""


def make_retriever(source: Source, *, folder: Path) -> CheckedRetriever:
    """Return the retriever that `source` describes; relative paths start at `folder`.

    Raises InvalidSource. Each kind is imported only where it is used: SQLAlchemy alone takes 0.2 s.
    """
    # ruff: noqa: PLC0415 - as just said
    match source:
        case FilesSource():
            from cache_core.sources.files.retriever import FilesRetriever

            return FilesRetriever(source, folder=folder)
        case HttpSource():
            from cache_core.sources.http.retriever import HttpRetriever

            return HttpRetriever(source, folder=folder)
        case PythonSource():
            from cache_core.sources.python.retriever import PythonRetriever

            return PythonRetriever(source, folder=folder)
        case SqlSource():
            from cache_core.sources.sql.retriever import SqlRetriever

            return SqlRetriever(source, folder=folder)
        case ValkeySource():
            from cache_core.sources.valkey.retriever import ValkeyRetriever

            return ValkeyRetriever(source, folder=folder)


async def check(
    trial: Callable[[], Awaitable[None]], *, seconds: float
) -> InvalidSource | SourceUnavailable | RetrieverFailed | None:
    """Return the error that `trial`, a source's `check`, raises; None where it raises none.

    An error that no source should raise is returned as a RetrieverFailed with its name alone. A
    trial that takes longer than `seconds` is returned as SourceUnavailable. It is cancelled then,
    but nobody waits for its end.
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
