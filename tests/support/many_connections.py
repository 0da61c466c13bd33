"""Connections by the thousand, and what a process takes for them."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

OTHERS: Final = 200
"""Descriptors for all else."""


@contextmanager
def descriptors_for(count: int) -> Iterator[int]:
    """Allow this process and those that it starts `count` connections, or as many as there may be.

    Gives how many those are.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield count if hard == resource.RLIM_INFINITY else min(count, hard - OTHERS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(pid: int) -> int:
    """Return how many bytes of memory a process has, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, size = line.partition(":")
        if name == "VmRSS":
            return int(size.split()[0]) * 1024
    raise AssertionError(f"{pid} has ended")


def connected(opened: ExitStack, address: tuple[str, int], said: bytes) -> socket.socket:
    """Connect, say something and read nothing."""
    sock = opened.enter_context(socket.create_connection(address))
    sock.sendall(said)
    return sock
