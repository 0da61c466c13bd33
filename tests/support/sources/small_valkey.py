"""A server that speaks as much of Valkey's protocol as reading takes, in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, TypeAlias

HOST = "127.0.0.1"
FOR_EVER = -1
WRONG_TYPE = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"


class Held(NamedTuple):
    """What is there for a name: a string, a hash, or None for another type; and its PTTL."""

    data: bytes | Mapping[str, bytes] | None
    pttl: int = FOR_EVER


Words: TypeAlias = tuple[str, ...]


class SmallValkey:
    """It holds `things` by their names, and notes all `commands` but the first greeting.

    `ended` is set when any connection has come to its end.
    """

    def __init__(self) -> None:
        self.things: dict[str, Held] = {}
        self.commands: list[Words] = []
        self.ended = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                words = await _command(reader)
                if words[0] != "HELLO":
                    self.commands.append(words)
                writer.write(self._answer(words))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.ended.set()

    def _answer(self, words: Words) -> bytes:
        match words:
            case ("HELLO", *_):
                return b"*2\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n"
            case ("PTTL", name):
                return b":%d\r\n" % (self.things[name].pttl if name in self.things else -2)
            case ("GET", name) | ("HGET", name, _) if name not in self.things:
                return _bulk(None)
            case ("GET", name) if isinstance(data := self.things[name].data, bytes):
                return _bulk(data)
            case ("HGET", name, field) if isinstance(fields := self.things[name].data, Mapping):
                return _bulk(fields.get(field))
            case ("GET" | "HGET", *_):
                return WRONG_TYPE
            case _:
                return b"-ERR unknown command\r\n"


async def _command(reader: asyncio.StreamReader) -> Words:
    count = int((await reader.readuntil(b"\r\n"))[1:])
    words = []
    for _ in range(count):
        length = int((await reader.readuntil(b"\r\n"))[1:])
        words.append((await reader.readexactly(length + 2))[:-2].decode())
    return tuple(words)


def _bulk(data: bytes | None) -> bytes:
    return b"$-1\r\n" if data is None else b"$%d\r\n%b\r\n" % (len(data), data)


@contextlib.asynccontextmanager
async def small_valkey() -> AsyncIterator[SmallValkey]:
    """Serve at a free port of loopback until the end of the block."""
    valkey = SmallValkey()
    server = await asyncio.start_server(valkey.serve, HOST, 0)
    valkey.url = f"valkey://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield valkey
    finally:
        server.close()
