"""Whether a node can listen at an address, asked before an engine is."""

import socket

from cache_core.address import Address


def probe(address: Address) -> None:
    """Raise the OSError that listening at `address` meets.

    An engine would only say that it failed, and print lines of its own about it.
    """
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(1)
