"""GETs at one origin, over kept connections, within limits of time and size.

Redirects within the origin are followed.
"""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Final

import httpcore2

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.resolver import Resolve
from cache_core.sources.http.body import ACCEPTED, Body
from cache_core.sources.http.network import CheckedBackend, PrivateAddress
from cache_core.sources.http.reply import WITH_VALUE, Reply
from cache_core.sources.http.settings import HttpSource
from cache_core.sources.http.template import UrlOrigin

MAX_REDIRECTS: Final = 5
KEPT_SECONDS: Final = 30.0
"""How long an idle connection is kept."""
DRAINED_BYTES: Final = 64 * 1024
"""How much is read of an answer without a value, so that its connection can be kept."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BROKEN: Final = (httpcore2.ReadError, httpcore2.WriteError, httpcore2.RemoteProtocolError)

Fields = Sequence[tuple[str, str]]


class Connections:
    """Connections to `origin`, within the limits that `source` sets; `context` is for TLS.

    The environment has no say: no proxy and no netrc is used. No cookies are kept.
    """

    def __init__(
        self, source: HttpSource, origin: UrlOrigin, *, context: ssl.SSLContext, resolve: Resolve
    ) -> None:
        self._origin = origin
        self._max_bytes = source.max_bytes
        self._timeouts = {
            "connect": source.connect_timeout,
            "read": source.read_timeout,
            "write": source.read_timeout,
            "pool": source.read_timeout,
        }
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=source.pool_size,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=CheckedBackend(resolve, allow_private=source.allow_private),
        )

    async def get(self, target: str, fields: Fields) -> Reply:
        """Return the reply to a GET of `target`; redirects within the origin are followed.

        Raises SourceUnavailable, and RetrieverFailed, whose cause is a PrivateAddress where the
        source's address is not allowed.
        """
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._ask(target, fields)
            if reply.status not in _REDIRECTS or "location" not in reply.headers:
                return reply
            onward = self._origin.follow(target, reply.headers["location"])
            if onward is None:
                words = f"the source redirects ({reply.status}) to another scheme, host or port; "
                words += "if that one is meant, name it in url"
                raise RetrieverFailed(words)
            target = onward
        raise RetrieverFailed(f"the source redirects more than {MAX_REDIRECTS} times")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _ask(self, target: str, fields: Fields) -> Reply:
        try:
            try:
                return await self._exchange(target, fields)
            except _BROKEN:  # a kept connection may have ended just then: GET may be repeated
                return await self._exchange(target, fields)
        except PrivateAddress as error:
            words = "the source has a private address, and allow_private isn't set"
            raise RetrieverFailed(words) from error
        except httpcore2.LocalProtocolError as error:
            raise RetrieverFailed("the request can't be sent as HTTP") from error
        except (
            httpcore2.NetworkError,
            httpcore2.RemoteProtocolError,
            httpcore2.TimeoutException,
        ) as error:
            raise _unavailable(error) from error

    async def _exchange(self, target: str, fields: Fields) -> Reply:
        url = httpcore2.URL(
            scheme=self._origin.scheme,
            host=self._origin.host,
            port=self._origin.port,
            target=target,
        )
        sent = [("Host", self._origin.authority), ("Accept-Encoding", ACCEPTED), *fields]
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent]
        extensions = {"timeout": self._timeouts}
        async with self._pool.stream(
            "GET", url, headers=headers, extensions=extensions
        ) as response:
            found = _joined(response.headers)
            if response.status in WITH_VALUE:
                return Reply(response.status, found, await self._read(response, found))
            await _drain(response)
            return Reply(response.status, found)

    async def _read(self, response: httpcore2.Response, headers: Mapping[str, str]) -> bytes:
        body = Body(headers.get("content-encoding", ""), self._max_bytes)
        async with aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                body.feed(chunk)
        return body.finish()


async def _drain(response: httpcore2.Response) -> None:
    """Read the rest of the body up to DRAINED_BYTES, so that the connection can be kept.

    The connection ends where more is left, or where the body breaks off.
    """
    left = DRAINED_BYTES
    with suppress(httpcore2.TimeoutException, *_BROKEN):
        async with aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case names, several lines of a name as one."""
    found: dict[str, str] = {}
    for encoded, line in raw:
        name, value = encoded.decode("latin-1").lower(), line.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def certificate_fault(error: BaseException | None) -> str | None:
    """Return why the source's certificate isn't trusted; None where `error` has another cause."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def _unavailable(error: Exception) -> SourceUnavailable:
    """Return the SourceUnavailable for `error`, in the words of the first row of _WORDS that fits.

    A certificate that is not trusted comes before all rows.
    """
    if certificate_fault(error) is not None:
        return SourceUnavailable("the source's certificate is not trusted")
    for kinds, words in _WORDS:
        if isinstance(error, kinds):
            return SourceUnavailable(words)
    return SourceUnavailable("the source broke the connection off")


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpcore2.PoolTimeout, "the connections to the source are all in use"),
    (httpcore2.ConnectTimeout, "the source took no connection in time"),
    (httpcore2.TimeoutException, "the source gave no answer in time"),
    (httpcore2.ConnectError, "the source can't be reached"),
)
