"""What a program asks nodes with; the gateway is one such program."""

from types import TracebackType
from typing import Final, Self

from cache_core.address import Address
from cache_core.rpc.channel import Channel
from cache_core.value import Value

DEFAULT_ADDRESS: Final = "127.0.0.1:8080"
DEFAULT_TIMEOUT: Final = 1.0
"""Seconds that a call may take where the caller doesn't say."""


class Client:
    """Gets keys from the node at `address` over one kept connection.

    A call without a `timeout` of its own has the client's, in seconds. Errors are those that
    Group.get raises in process, with the node's words, and PeerUnavailable, DeadlineExceeded,
    ValueTooLarge and UnexpectedStatus. Belongs to one event loop. Raises InvalidAddress.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.address = Address.parse(address)
        self._timeout = timeout
        self._channel: Channel | None = None

    async def get(self, group: str, key: str, *, timeout: float | None = None) -> Value:
        """Return the value that the node has for `key` of `group`. Raises CacheError."""
        if self._channel is None:
            self._channel = Channel(self.address)
        return await self._channel.get(
            group, key, timeout=self._timeout if timeout is None else timeout
        )

    async def aclose(self) -> None:
        """End the connection."""
        if self._channel is not None:
            await self._channel.aclose()
            self._channel = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
