"""A kept connection to an HTTP server that tells exactly what came back."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final

BODILESS: Final = (204, 304)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; field names are in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    def member(self, name: str) -> object:
        """Return a member of the JSON document that the body is."""
        found: object = json.loads(self.body)[name]
        return found


class Exchanges:
    """One connection to the server at `port`, for one request after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def ask(self, method: str, path: str, **fields: str) -> Reply:
        """Return the answer. Raises ConnectionError, asyncio.IncompleteReadError."""
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self._port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self._writer.write("\r\n".join((*lines, "\r\n")).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        pairs = (line.partition(": ") for line in head[1:] if line)
        answered = {name.lower(): value for name, _, value in pairs}
        silent = method == "HEAD" or status in BODILESS
        size = 0 if silent else int(answered["content-length"])
        return Reply(status, answered, await self._reader.readexactly(size))

    async def __aenter__(self) -> "Exchanges":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()
