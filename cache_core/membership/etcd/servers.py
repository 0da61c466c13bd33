"""The servers of one etcd cluster, of which any can be asked."""

import itertools
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from cache_core.address import Address
from cache_core.membership.etcd.api import Credentials, Etcd

FIRST_RETRY: Final = 0.1
LAST_RETRY: Final = 1.0
"""Seconds between attempts to connect: well within a lease, so that a node that finds etcd again
renews its lease in time."""


class Servers:
    """Connects to the servers in turn. Its text names them, and has no password in it."""

    def __init__(self, servers: Sequence[Address], credentials: Credentials | None) -> None:
        self._names = ", ".join(map(str, servers))
        self._turns = itertools.cycle(servers)
        self._credentials = credentials

    def connect(self) -> AbstractAsyncContextManager[Etcd]:
        """Return a connection to the next server; to enter it may raise EtcdError."""
        return Etcd.connect(next(self._turns), self._credentials)

    def __str__(self) -> str:
        return f"etcd at {self._names}"
