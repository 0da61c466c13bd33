"""The grpcio server behind a native one, for the calls that the native one can't serve."""

import asyncio
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import grpc.aio

from cache_core.rpc.engine import EngineFailed
from cache_core.rpc.grpcio.introspection import Introspection
from cache_core.rpc.wire.limits import FLUSH_SECONDS

MAX_PATH_BYTES: Final = 103
"""The longest path of a Unix socket on every system (unix(7); macOS has 104 with the end byte)."""


class Fallback:
    """A server of health and reflection alone, on a Unix socket of its own."""

    def __init__(self) -> None:
        self._server = grpc.aio.server()
        self._introspection = Introspection()
        self._folder: Path | None = None

    async def start(self) -> str:
        """Serve, and return the socket's path. Raises EngineFailed."""
        try:
            self._folder = await asyncio.to_thread(_make_folder)
        except OSError as error:
            raise EngineFailed(f"can't make a folder for a socket: {error.strerror}") from error
        path = str(self._folder / "grpcio.sock")
        if len(os.fsencode(path)) > MAX_PATH_BYTES:
            raise EngineFailed(f"{path} is too long for a socket; set TMPDIR to a shorter folder")
        self._introspection.bind(self._server)
        try:
            self._server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise EngineFailed(f"can't make the socket {path}") from error
        await self._server.start()
        await self._introspection.serve()
        return path

    async def drain(self) -> None:
        """Report all services as not serving from now on."""
        await self._introspection.drain()

    async def stop(self) -> None:
        """End the server, and delete the socket's folder.

        Answers already given have FLUSH_SECONDS to leave.
        """
        await self._server.stop(FLUSH_SECONDS)
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _make_folder() -> Path:
    return Path(mkdtemp(prefix="gaocache-"))
