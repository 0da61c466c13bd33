"""A `gaocache up` on free ports, for texts that are written for its default ones."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from processes import Serving, spawn

BIN = Path(sys.executable).parent


class Up:
    """A running `gaocache up`; `gateway` and `node` are its addresses."""

    def __init__(self, gateway: str, node: str) -> None:
        self.gateway = gateway
        self.node = node

    def at_its_ports(self, text: str) -> str:
        """Return `text` with these addresses in place of the default ones."""
        return text.replace("localhost:8000", self.gateway).replace("127.0.0.1:8080", self.node)


@contextlib.asynccontextmanager
async def running_up(folder: Path, *options: str, **variables: str) -> AsyncIterator[Up]:
    """Start `gaocache up` with options, its data in the folder; stop it in the end."""
    environment = {"GAOCACHE_DATA_DIR": str(folder / "data"), "PATH": str(BIN), **variables}
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    serving = Serving(await spawn(["up", *free_ports, *options], environment))
    try:
        gateway = await serving.until(r"gateway  http://(\S+)")
        yield Up(gateway, await serving.until(r"node     (\S+)"))
    finally:
        await serving.stop()


async def output(*command: str, folder: Path | None = None) -> str:
    """Return what the command prints, which has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return stdout.decode()
