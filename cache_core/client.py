"""What a program asks nodes with; the gateway is one such program."""

from types import TracebackType
from typing import Final, Self

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.errors import InvalidKey
from cache_core.rpc.channel import Channel
from cache_core.value import Value

DEFAULT_TIMEOUT: Final = 1.0
"""Seconds that a call may take where the caller doesn't say."""


class Client:
    """Gets keys from the node at `address` over one kept connection.

    A call without a `timeout` of its own has the client's, in seconds; infinity is no deadline,
    and ValueError is raised for what is no length of time. Errors are those that
    Group.get raises in process, with the node's words, and PeerUnavailable, DeadlineExceeded,
    ValueTooLarge and UnexpectedStatus. Belongs to one event loop. Raises InvalidAddress.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.address = Address.parse(address)
        self._timeout = _seconds(timeout)
        self._channel: Channel | None = None

    async def get(self, group: str, key: str, *, timeout: float | None = None) -> Value:
        """Return the value that the node has for `key` of `group`. Raises CacheError."""
        seconds = self._timeout if timeout is None else _seconds(timeout)
        if not (_is_text(group) and _is_text(key)):
            raise InvalidKey
        if self._channel is None:
            self._channel = Channel(self.address)
        return await self._channel.get(group, key, timeout=seconds)

    async def aclose(self) -> None:
        """End the connection; calls still running end in PeerUnavailable."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _seconds(timeout: float) -> float:
    if not timeout >= 0:  # nor is NaN
        raise ValueError(f"a timeout should be 0 seconds or more, not {timeout}")
    return timeout


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
