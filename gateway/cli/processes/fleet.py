"""The nodes that `gaocache up` starts on this machine."""

import socket
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.config import Settings
from gateway.cli.failure import EXIT_USAGE, Failure
from gateway.cli.processes.listening import free_addresses, is_wildcard, on_loopback

MAX_PORT: Final = 65535
STATIC: Final = "static://"


class Place(NamedTuple):
    """Where a node listens, and the name by which the others reach it."""

    listen: Address
    name: str


class Fleet(NamedTuple):
    """The nodes to start; `peers` is their cluster, None where it is the one in the settings."""

    places: Sequence[Place]
    peers: str | None


def fleet_of(settings: Settings, count: int | None) -> Fleet:
    """Return `count` nodes that know each other, on ports counted up from the settings' one.

    Without a `count`: where the settings have a list of peers, a node at each of its addresses that
    is this machine's; where they have another kind of peers, one node of that cluster; else one
    node that is alone. Raises Failure.
    """
    table = settings.node
    peers = None if table.peers is None else table.peers.get_secret_value()
    if count is None and peers is not None:
        if peers.startswith(STATIC) or "://" not in peers:
            places = list(_here(peers, table.listen))
            if not places:
                words = "none of them is at this machine; start one of its own with --nodes 1"
                raise Failure(str(settings.problem(("node", "peers"), words)))
            return Fleet(places, None)
        listen = _with_port(table.listen)
        return Fleet([Place(listen, str(table.advertise or on_loopback(listen)))], None)
    addresses = _counted(settings, count or 1)
    names = [str(on_loopback(address)) for address in addresses]
    pairs = zip(addresses, names, strict=True)
    return Fleet([Place(*pair) for pair in pairs], STATIC + ",".join(names))


def _here(peers: str, listen: Address) -> Iterator[Place]:
    """Yield the members of the list `peers` that are at this machine.

    They listen at every address where `listen` does so.
    """
    for text in dict.fromkeys(peers.removeprefix(STATIC).split(",")):
        name = Member.parse(text).name
        address = Address.parse(name)
        if _is_here(address.host):
            host = listen.host if is_wildcard(listen.host) else address.host
            yield Place(address._replace(host=host), name)


def _is_here(host: str) -> bool:
    """Return whether `host` is an address of this machine, or a name of one."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    return any(_can_bind(family, where) for family, _, _, _, where in found)


def _can_bind(family: socket.AddressFamily, where: tuple[str | int | bytes, ...]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind(where)
    except OSError:
        return False
    return True


def _with_port(address: Address) -> Address:
    return address if address.port else free_addresses(address, 1)[0]


def _counted(settings: Settings, count: int) -> list[Address]:
    """Return `count` addresses: with free ports where the first's is 0, else counted up from it.

    The first is the settings' own. Raises Failure.
    """
    first = settings.node.listen
    if first.port == 0:
        return free_addresses(first, count)
    if first.port + count - 1 > MAX_PORT:
        words = f"{count} nodes from port {first.port} on go past {MAX_PORT}"
        raise Failure(str(settings.problem(("node", "listen"), words)), exit_status=EXIT_USAGE)
    return [first._replace(port=first.port + number) for number in range(count)]
