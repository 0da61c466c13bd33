"""A host's addresses, as the system's resolver says them."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

Resolve: TypeAlias = Callable[[str, int], Awaitable[Iterable[str]]]
"""Return the addresses of a host, IPv4 or IPv6, for a port; raise OSError where there is none."""


async def system_resolve(host: str, port: int) -> Iterable[str]:
    """Ask the system's resolver (getaddrinfo), outside the event loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
