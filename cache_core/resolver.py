"""The addresses behind a host's name, as the system's resolver says them.

Membership by DNS and the http source take a Resolve, so that tests can answer in its place.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

Resolve: TypeAlias = Callable[[str, int], Awaitable[Iterable[str]]]
"""Returns the addresses of a host, IPv4 or IPv6 as text, for a port.

Raises OSError where the host has no address, or its addresses can't be found out.
"""


async def system_resolve(host: str, port: int) -> Iterable[str]:
    """Return the addresses that the system's resolver gives, asked outside the event loop.

    The resolver is getaddrinfo. `host` may also be an address, which is then the answer. Raises
    OSError.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
