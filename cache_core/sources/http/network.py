"""Connections to checked addresses alone, so that a name can't lead into a private network."""

import asyncio
from collections.abc import Iterable

import httpcore2

from cache_core.resolver import Resolve
from cache_core.sources.http.public_address import is_public


class PrivateAddress(Exception):
    """All addresses of the source's host are private, and private ones are not allowed."""


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """A backend for httpcore2 that resolves a host once, and connects to the checked addresses.

    Certificates are still checked against the host's name, which TLS is told by httpcore2.
    """

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a connection to the first address that takes one.

        The name has `timeout` seconds to be resolved. After that, the addresses have `timeout`
        seconds together, an equal share each. Raises PrivateAddress, and httpcore2's ConnectError
        and ConnectTimeout.
        """
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"the name has no address: {error.strerror}") from error
        addresses = permitted(found, allow_private=self._allow_private)
        failed: Exception = httpcore2.ConnectError("the name has no address")
        share = None if timeout is None else timeout / max(1, len(addresses))
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


def permitted(found: Iterable[str], *, allow_private: bool) -> list[str]:
    """Return those of the addresses `found` that may be connected to, each once.

    Raises PrivateAddress where there are addresses and all are private.
    """
    addresses = list(dict.fromkeys(found))
    if allow_private:
        return addresses
    public = [address for address in addresses if is_public(address)]
    if addresses and not public:
        raise PrivateAddress
    return public
