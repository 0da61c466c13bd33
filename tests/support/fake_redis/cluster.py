"""A Cluster of fake Redises, whose slots move at once."""

import contextlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from fake_redis.connection import Connection
from fake_redis.resp import Answer, Refused
from fake_redis.server import FakeRedis
from redis.crc import key_slot

SLOTS: Final = 16384
SHARE: Final = SLOTS // 3 + 1


class FakeNode(FakeRedis):
    """A server of the Cluster `trio`."""

    def __init__(self, trio: "FakeTrio") -> None:
        super().__init__()
        self._trio = trio

    def answer(self, connection: Connection, name: bytes, words: list[bytes]) -> Answer:
        """Return the answer to a command of `connection`. Raises Refused."""
        match name, words:
            case b"HELLO", []:
                return [b"server", b"redis", b"mode", b"cluster"]
            case b"CLUSTER", [b"SLOTS"]:
                return self._trio.slots()
            case b"SELECT", _:
                raise Refused("ERR SELECT is not allowed in cluster mode")
            case b"ASKING", []:
                return "OK"
            case b"CONFIG", [b"SET", b"cluster-require-full-coverage", needed]:
                self._trio.needs_all = needed == b"yes"
                return "OK"
            case ((b"EVAL" | b"EVALSHA"), [_, _, key, *_]):
                self._trio.check(self, key, is_asking=connection.is_asking)
            case ((b"GET" | b"SET" | b"DEL" | b"LPUSH"), [key, *_]):
                self._trio.check(self, key, is_asking=connection.is_asking)
        return super().answer(connection, name, words)


class FakeTrio:
    """A Cluster of three; a server that is lost takes its slots along."""

    def __init__(self) -> None:
        self.servers = [FakeNode(self) for _ in range(3)]
        self.url = self.servers[0].url
        self.needs_all = True
        """Whether no key can be asked for while a server is down."""
        self._owners: list[FakeNode | None] = [self.servers[slot // SHARE] for slot in range(SLOTS)]
        self._moving: dict[int, FakeNode] = {}

    def start(self) -> None:
        """Start the servers that don't run."""
        for server in self.servers:
            server.start()

    def kill(self) -> None:
        """End all servers, their data stays."""
        for server in self.servers:
            server.kill()

    def owner(self, name: str) -> FakeNode:
        """Return the server that had the slot of the key `name` when the Cluster was made."""
        return self.servers[key_slot(name.encode()) // SHARE]

    def add_server(self) -> FakeNode:
        """Start another server, which has no slots."""
        added = FakeNode(self)
        self.servers.append(added)
        added.start()
        return added

    @contextlib.contextmanager
    def moving(self, name: str, source: FakeNode, target: FakeNode) -> Iterator[None]:
        """Move the slot of `name` to `target`: its keys are there already, and in the end the slot.

        Until the body has ended, `source` sends who asks for them on by ASK, then by MOVED.
        """
        slot = key_slot(name.encode())
        for key in source.data.names():
            if key_slot(key) == slot:
                source.data.move(key, target.data)
        self._moving[slot] = target
        yield
        self._owners[slot] = self._moving.pop(slot)

    def abandon(self, name: str) -> None:
        """Make the slot of the key `name` nobody's."""
        self._owners[key_slot(name.encode())] = None

    def check(self, server: FakeNode, key: bytes, *, is_asking: bool) -> None:
        """Raise Refused unless `server` is to be asked for `key`."""
        slot = key_slot(key)
        owner, target = self._owners[slot], self._moving.get(slot)
        if self.needs_all and not all(each.is_up for each in self.servers):
            raise Refused("CLUSTERDOWN The cluster is down")
        if owner is None:
            raise Refused("CLUSTERDOWN Hash slot not served")
        if owner is server:
            if target is not None and not server.data.has(key):
                raise Refused(f"ASK {slot} {target.address}")
        elif not (is_asking and target is server):
            raise Refused(f"MOVED {slot} {owner.address}")

    def slots(self) -> Answer:
        """Return the answer to CLUSTER SLOTS."""
        parts: list[Answer] = []
        for owner, slots in groupby(range(SLOTS), self._owners.__getitem__):
            if owner is None:
                continue
            first, *_, last = [*slots] * 2
            parts.append([first, last, [b"127.0.0.1", owner.port, owner.address.encode()]])
        return parts


@contextlib.contextmanager
def fake_trio(_: Path | None = None) -> Iterator[FakeTrio]:
    """A Cluster that is whole."""
    trio = FakeTrio()
    trio.start()
    try:
        yield trio
    finally:
        for server in trio.servers:
            server.close()
