"""The retriever for a source that is an HTTP API."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Final

import httpcore2

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource, Retrieved
from cache_core.resolver import Resolve, system_resolve
from cache_core.sources.http.connections import Connections, certificate_fault
from cache_core.sources.http.credentials import credential_setting, standing_fields
from cache_core.sources.http.network import PrivateAddress
from cache_core.sources.http.reply import (
    NO_ACCESS,
    Reply,
    conditions,
    failure_of,
    value_of,
)
from cache_core.sources.http.settings import HttpSource
from cache_core.sources.http.template import UrlTemplate
from cache_core.trace import current_trace
from cache_core.value import Value

UNUSED_KEY: Final = "gaocache-check"
"""The key that `check` asks for where the config names none; no source need have it."""


class HttpRetriever:
    """A CheckedRetriever and Refresher for an HTTP API: one GET a key, whose body is the value.

    404 and 410 are no such key. The value has the response's Content-Type where that is a media
    type, and its ETag, else Last-Modified, as `version`. It has the response's own TTL where
    `source.cache_control` is set. A relative `ca_file` starts at `folder`. Raises InvalidSource for
    settings that can't work.
    """

    def __init__(
        self, source: HttpSource, *, folder: Path, resolve: Resolve = system_resolve
    ) -> None:
        self._source = source
        self._template = UrlTemplate(source.url.get_secret_value())
        self._fields = standing_fields(source)
        self._connections = Connections(
            source, self._template.origin, context=_context(source, folder), resolve=resolve
        )

    async def retrieve(self, key: str) -> Retrieved:
        """Return the value for `key`, or None. Raises SourceUnavailable, RetrieverFailed."""
        return await self._load(key, None)

    async def refresh(self, key: str, held: Value) -> Retrieved:
        """Return `held` with new times where the source says that it has not changed.

        Otherwise return what `retrieve` returns.
        """
        return await self._load(key, held)

    async def check(self) -> None:
        """Ask the source for one key. Raises InvalidSource, SourceUnavailable.

        Without a `check_key` the source is asked for UNUSED_KEY, and may find fault with that key:
        such an answer passes too.
        """
        reply = await self._probe(self._source.check_key or UNUSED_KEY)
        match failure_of(reply):
            case RetrieverFailed() as error if reply.status in NO_ACCESS:
                raise InvalidSource(credential_setting(self._source), str(error)) from error
            case SourceUnavailable() as error:
                raise error
            case RetrieverFailed() as error if self._source.check_key is not None:
                raise InvalidSource("check_key", str(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def _load(self, key: str, held: Value | None) -> Retrieved:
        target = self._template.target(key)
        if target is None:
            return None
        asked = {} if held is None else conditions(held.version)
        reply = await self._get(target, asked)
        return value_of(
            reply,
            held=held if asked else None,
            cache_control=self._source.cache_control,
            now=time.time(),
        )

    async def _get(self, target: str, more: dict[str, str]) -> Reply:
        parent, state = current_trace.get()
        trace = {"traceparent": parent, "tracestate": state}
        own = [(name, value) for name, value in trace.items() if value]
        return await self._connections.get(target, [*self._fields, *own, *more.items()])

    async def _probe(self, key: str) -> Reply:
        target = self._template.target(key)
        if target is None:
            raise InvalidSource("check_key", "no URL's path can name it")
        try:
            async with asyncio.timeout(self._source.connect_timeout + self._source.read_timeout):
                return await self._get(target, {})
        except TimeoutError as error:
            raise SourceUnavailable("the source gave no answer in time") from error
        except SourceUnavailable as error:
            why = certificate_fault(error)
            if why is None:
                raise
            words = f"{error} ({why}); a CA of your own goes into this file"
            raise InvalidSource("ca_file", words) from error
        except RetrieverFailed as error:
            private = isinstance(error.__cause__, PrivateAddress)
            raise InvalidSource("allow_private" if private else "url", str(error)) from error


def _context(source: HttpSource, folder: Path) -> ssl.SSLContext:
    if source.ca_file is None:
        return httpcore2.default_ssl_context()
    file = folder / source.ca_file
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        raise InvalidSource("ca_file", f"{file} has no certificates in PEM") from error
    except OSError as error:
        raise InvalidSource("ca_file", f"{file}: {error.strerror}") from error
