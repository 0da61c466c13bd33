"""A real folder, beside which is a file that no key may reach."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from cache_core.sources.files.settings import FilesSource

HOLD_A_LEASE = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
files = [os.open(name, os.O_RDWR) for name in sys.argv[1:]]
for file in files:
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""
"""What a file server does for a client that has a file for itself: others have to wait for it."""


class FolderRig:
    """The folder `things`, which is gone while it is renamed."""

    secret = ""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "things"
        self._away = folder / "things.away"
        self._root.mkdir()
        (folder / "secret").write_bytes(b"stolen")
        self.source = FilesSource(url=str(self._root))
        self._holding: asyncio.subprocess.Process | None = None

    async def put(self, key: str, data: bytes) -> None:
        (self._root / key).write_bytes(data)

    async def break_off(self) -> None:
        self._root.rename(self._away)

    async def mend(self) -> None:
        if self._holding is not None:
            await self._holding.communicate(b"")
            self._holding = None
        if self._away.exists():
            self._away.rename(self._root)

    async def hang(self) -> None:
        """Hold leases on the files, for which whoever opens one would wait."""
        self._holding = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", HOLD_A_LEASE, *map(str, self._root.iterdir())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._holding.stdout is not None
        assert await self._holding.stdout.readline() == b"held\n"

    def wrong_password(self) -> None:
        return None


@contextlib.asynccontextmanager
async def folder(folder: Path) -> AsyncIterator[FolderRig]:
    rig = FolderRig(folder)
    try:
        yield rig
    finally:
        await rig.mend()
