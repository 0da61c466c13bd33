"""The retriever for a source that is a Valkey or a Redis, single or Cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import Retrieved
from cache_core.sources.valkey.settings import PLACE, ValkeySource
from cache_core.valkey.command import Command
from cache_core.valkey.opening import open_store
from cache_core.value import Value

FOR_EVER = -1
"""The answer of PTTL for a key that has no TTL."""


class ValkeyRetriever:
    """A CheckedRetriever and BatchRetriever for what `source` describes.

    The key is put into the names in place of `{key}` and sent as an argument, whatever is in it.
    Raises InvalidSource.
    """

    def __init__(self, source: ValkeySource, *, folder: Path) -> None:  # noqa: ARG002 - no paths
        self._source = source
        self._store = open_store(source.url, timeout=source.timeout, connections=source.connections)

    async def retrieve(self, key: str) -> Retrieved:
        """Return the value for `key`, or None. Raises SourceUnavailable, RetrieverFailed."""
        found = (await self.retrieve_many((key,))).get(key)
        if isinstance(found, RetrieverFailed):
            raise found
        return found

    async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the value of each of `keys`, None for no such key, or the key's error.

        This is one round trip to each server asked. Raises SourceUnavailable, RetrieverFailed.
        """
        commands = [command for key in keys for command in self._commands(key)]
        answers = await self._store.ask(commands)
        each = len(answers) // len(keys)
        parts = (answers[start : start + each] for start in range(0, len(answers), each))
        return {key: _found(*part) for key, part in zip(keys, parts, strict=True)}

    async def check(self) -> None:
        """Try whether the store lets its user ask. Raises InvalidSource, SourceUnavailable."""
        await self._store.check(self._commands(""), "field" if self._source.field else "key")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    def _commands(self, key: str) -> Sequence[Command]:
        """Return the commands for `key`: first for its TTL, if that is wanted, then for its value.

        In this order, a value that is replaced in between gets a TTL too short, not too long.
        """
        name = self._source.key.replace(PLACE, key)
        if self._source.field is None:
            value = Command(name, ("GET", name))
        else:
            value = Command(name, ("HGET", name, self._source.field.replace(PLACE, key)))
        if not self._source.ttl_from_source:
            return (value,)
        return (Command(name, ("PTTL", name)), value)


def _found(*answers: Any) -> Retrieved | RetrieverFailed:  # noqa: ANN401 - a server's own answers
    for answer in answers:
        if isinstance(answer, RetrieverFailed):
            return answer
    *ttl, data = answers
    if data is not None and not isinstance(data, bytes):
        return RetrieverFailed("Valkey answered what is no value")
    if data is None or not ttl or ttl[0] == FOR_EVER:
        return data
    return Value(data, max(0, ttl[0]) / 1000)
