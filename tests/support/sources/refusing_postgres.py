"""A PostgreSQL that has no TLS and lets nobody in, in this process."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

HOST = "127.0.0.1"
TLS_WANTED = 80877103


class RefusingPostgres:
    """It answers each user with an error of the SQLSTATE `sqlstate`, and counts them."""

    def __init__(self) -> None:
        self.sqlstate = "28P01"
        self.wanted_tls = 0
        self.users = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size, code = struct.unpack("!ii", await reader.readexactly(8))
                if code == TLS_WANTED:
                    self.wanted_tls += 1
                    writer.write(b"N")
                    continue
                await reader.readexactly(size - 8)
                self.users += 1
                fields = f"SFATAL\0C{self.sqlstate}\0Mno hunter2\0\0".encode()
                writer.write(b"E" + struct.pack("!i", len(fields) + 4) + fields)
                break
        writer.close()


@contextlib.asynccontextmanager
async def refusing_postgres() -> AsyncIterator[RefusingPostgres]:
    """Serve at a free port of loopback until the end of the block."""
    postgres = RefusingPostgres()
    server = await asyncio.start_server(postgres.serve, HOST, 0)
    postgres.port = server.sockets[0].getsockname()[1]
    try:
        yield postgres
    finally:
        server.close()
