"""A connection to a fake Redis: it takes requests off the socket and sends their answers."""

import asyncio
from collections import Counter
from typing import Protocol, cast

from fake_redis.resp import Answer, Refused, encoded, take


class Server(Protocol):
    """What a connection needs of its server."""

    users: dict[bytes, bytes]
    connections: "set[Connection]"
    most_connections: int
    accepted: int
    counts: Counter[str]
    refusals: dict[str, str]

    @property
    def is_frozen(self) -> bool: ...

    def came(self) -> None: ...

    def answer(self, connection: "Connection", name: bytes, words: list[bytes]) -> Answer: ...


class Connection(asyncio.Protocol):
    """One client's, which has to say its password first."""

    def __init__(self, server: Server) -> None:
        self.database = 0
        self.is_asking = False
        """Whether ASKING came just before."""
        self._server = server
        self._is_known = False
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.accepted += 1
        self._server.connections.add(self)
        self._server.most_connections = max(
            len(self._server.connections), self._server.most_connections
        )

    def connection_lost(self, _: Exception | None) -> None:
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._server.came()
        self.go_on()

    def go_on(self) -> None:
        """Answer all that has come, unless the server is frozen."""
        answers = b""
        while not self._server.is_frozen and (request := take(self._received)) is not None:
            name, *words = request
            self._server.counts[name.decode().upper()] += 1
            try:
                answers += encoded(self._answer(name.upper(), words))
            except Refused as error:
                answers += encoded(error)
            self.is_asking = name.upper() == b"ASKING"
        if answers and self._transport is not None:
            self._transport.write(answers)

    def abort(self) -> None:
        """Break it."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, name: bytes, words: list[bytes]) -> Answer:
        if name == b"AUTH":
            user, password = words if len(words) > 1 else (b"default", *words)
            if self._server.users.get(user) != password:
                raise Refused("WRONGPASS invalid username-password pair or user is disabled.")
            self._is_known = True
            return "OK"
        if not self._is_known:
            raise Refused("NOAUTH Authentication required.")
        for word, error in self._server.refusals.items():
            if word.encode() in (name, *words):
                raise Refused(error)
        return self._server.answer(self, name, words)
