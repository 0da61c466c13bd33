"""Addresses to listen at."""

import contextlib
import errno
import ipaddress
import socket

from cache_core.address import Address
from gateway.cli.failure import Failure


def listen(address: Address) -> socket.socket:
    """Return a socket that listens at `address`. Raises Failure."""
    sock = bound(address)
    try:
        sock.listen()
    except OSError as error:
        sock.close()
        raise listen_failure(address, error) from error
    return sock


def bound(address: Address) -> socket.socket:
    """Return a socket that is bound to `address` and does not listen yet. Raises Failure."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise listen_failure(address, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise listen_failure(address, error) from error
    return sock


def listen_failure(address: object, error: OSError) -> Failure:
    """Return the failure for an address that can't be listened at."""
    if error.errno == errno.EADDRINUSE:
        advice = "stop what listens there or choose another port"
    else:
        advice = "choose an address of this machine and a port that you may use"
    return Failure(f"can't listen at {address}: {error.strerror or error}; {advice}")


def free_addresses(address: Address, count: int) -> list[Address]:
    """Return `address` with each of `count` ports at which nobody listens. Raises Failure."""
    with contextlib.ExitStack() as held:  # all at once, else a port could come twice
        socks = [held.enter_context(listen(address._replace(port=0))) for _ in range(count)]
        return [address._replace(port=sock.getsockname()[1]) for sock in socks]


def is_wildcard(host: str) -> bool:
    """Return whether listening at `host` means listening at every address of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def on_loopback(address: Address) -> Address:
    """Return the address at which this machine reaches a process that listens at `address`."""
    if not is_wildcard(address.host):
        return address
    return address._replace(host="::1" if ":" in address.host else "127.0.0.1")
