"""The sockets at which a node listens: one for each address that its name means."""

import errno
import socket
from pathlib import Path
from typing import Final

from cache_core.address import Address

BACKLOG: Final = 1024
"""How many connections may wait to be taken."""


def listen_at(address: Address) -> list[socket.socket]:
    """Listen at each address that the name means, all with one port. Raises OSError.

    Port 0 stands for a free one. An address that the machine does not have is left out, as long as
    it has another of the name; `::` takes IPv4 as well.
    """
    host, port = address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listening: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, _, _, _, where in dict.fromkeys(found):
            try:
                opened = _listen(family, (where[0], port, *where[2:]), alone=len(found) == 1)
            except OSError as error:
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise
                missing = error
            else:
                listening.append(opened)
                port = opened.getsockname()[1]
    except OSError:
        for opened in listening:
            opened.close()
        raise
    if not listening and missing is not None:
        raise missing
    return listening


def listen_at_path(path: Path) -> socket.socket:
    """Listen at a Unix socket. Raises OSError."""
    return _listen(socket.AF_UNIX, str(path), alone=True)


def _listen(family: int, where: object, *, alone: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not alone)
        if family != socket.AF_UNIX:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)  # type: ignore[arg-type] # as the family has it
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
