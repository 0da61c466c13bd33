"""A folder as a source, a key at a time."""

import asyncio
from pathlib import Path

from cache_core import Value
from cache_core.sources.files.retriever import FilesRetriever
from cache_core.sources.files.settings import FilesSource


def opened(folder: Path, **settings: object) -> FilesRetriever:
    source = FilesSource.model_validate({"url": "things", **settings})
    return FilesRetriever(source, folder=folder)


async def value(retriever: FilesRetriever, key: str) -> Value:
    got = await retriever.retrieve(key)
    assert isinstance(got, Value)
    return got


async def data(retriever: FilesRetriever, key: str) -> bytes | None:
    """Return what is there for `key`, which no kind of file takes long to say."""
    async with asyncio.timeout(10):
        got = await retriever.retrieve(key)
    return got.data if isinstance(got, Value) else got
