"""The grpcio server behind a native one, for what that can't serve."""

import asyncio
import shutil
from pathlib import Path
from tempfile import mkdtemp

import grpc.aio

from cache_core.rpc.introspection import Introspection
from cache_core.rpc.limits import FLUSH_SECONDS


class Behind:
    """Answers for health and reflection, and knows no other call, on a Unix socket of its own."""

    def __init__(self) -> None:
        self._server = grpc.aio.server()
        self._introspection = Introspection()
        self._folder: Path | None = None

    async def start(self) -> str:
        """Serve, and return the socket's path. Raises OSError."""
        self._folder = await asyncio.to_thread(_make_folder)
        path = str(self._folder / "grpcio.sock")
        self._introspection.bind(self._server)
        try:
            self._server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise OSError(f"can't make the socket {path}") from error
        await self._server.start()
        await self._introspection.serve()
        return path

    async def drain(self) -> None:
        """Say from now on that no service serves."""
        await self._introspection.drain()

    async def stop(self) -> None:
        """End, with a moment for answers already given."""
        await self._server.stop(FLUSH_SECONDS)
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _make_folder() -> Path:
    return Path(mkdtemp(prefix="gaocache-"))
