"""Nodes as processes, one config, and a source whose look-ups are counted."""

import asyncio
import os
import re
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from signal import Signals
from typing import Final, TypeAlias

from processes import Serving, spawn

from cache_core import CacheError, Client
from cache_core.messages import Health, NodeInfo

SEARCHED: Final = re.compile(r"search key (\S+)")

CONFIG: Final = """
[groups.g]
[groups.g.source]
kind = "sql"
url = "sqlite:///keys.db"
query = "SELECT value FROM keys WHERE name = :key"
"""


def free_addresses(count: int) -> list[str]:
    """Return addresses with free ports, all different."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]


class Fleet:
    """`gaocache node` processes over a table of `keys`, each logging into a file in `folder`."""

    def __init__(self, folder: Path, keys: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.nodes: dict[str, Serving] = {}
        self.environment = {**environment, "GAOCACHE_PEERS": ""}
        self.config = folder / "gaocache.toml"
        self.config.write_text(CONFIG)
        with closing(sqlite3.connect(folder / "keys.db")) as connection, connection:
            connection.execute("CREATE TABLE keys (name TEXT PRIMARY KEY, value TEXT)")
            connection.executemany(
                "INSERT INTO keys VALUES (?, ?)", ((str(key), f"v{key}") for key in range(keys))
            )

    async def start(self, address: str, peers: str, *options: str) -> None:
        """Start the node at `address` and wait until it has joined."""
        with self._log(address).open("ab") as log:
            process = await spawn(
                [
                    *("node", "--listen", address, "--peers", peers, "--drain", "1.5"),
                    *("--config", str(self.config)),
                    *(options or ("--log-level", "debug")),
                ],
                self.environment,
                stderr=log,
            )
        self.nodes[address] = Serving(process)
        await self.nodes[address].until("serves")

    async def start_all(self, addresses: Sequence[str], peers: str, *options: str) -> None:
        """Start them all at once, and wait until each sees the others serve."""
        await asyncio.gather(*(self.start(address, peers, *options) for address in addresses))
        await self.settled(peers)

    async def settled(self, peers: str) -> None:
        """Wait until every node sees every other serve."""
        async with asyncio.timeout(20), Client(peers) as client:
            while True:
                infos = await client.describe(timeout=5)
                if all(map(_sees_all, infos.values())):
                    return
                await asyncio.sleep(0.05)  # other processes' views give no event

    def signal(self, address: str, number: Signals) -> None:
        """Send the node at `address` a signal."""
        self.nodes[address].process.send_signal(number)

    async def end(self, address: str, number: Signals = Signals.SIGTERM) -> int:
        """Send the node a signal, wait until it has ended, and return its exit status."""
        serving = self.nodes.pop(address)
        serving.process.send_signal(number)
        return await serving.process.wait()

    def lookups(self) -> Counter[str]:
        """Return how often each key was looked up in the source, by all nodes together."""
        found: Counter[str] = Counter()
        for log in self.folder.glob("*.log"):
            found.update(SEARCHED.findall(log.read_text()))
        return found

    def said(self, address: str) -> str:
        """Return what the node at `address` has logged."""
        return self._log(address).read_text()

    async def aclose(self) -> None:
        """Kill what still runs."""
        for serving in self.nodes.values():
            if serving.process.returncode is None:
                serving.process.send_signal(Signals.SIGCONT)
                serving.process.kill()
            await serving.process.communicate()

    def _log(self, address: str) -> Path:
        return self.folder / f"{address.replace(':', '_')}.log"


def _sees_all(info: NodeInfo | CacheError) -> bool:
    return isinstance(info, NodeInfo) and {member.health for member in info.members} == {Health.UP}


def environment_in(folder: Path) -> dict[str, str]:
    """Return an environment for processes that keep their files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAOCACHE")}
    return {**kept, "HOME": str(folder), "PYTHONUNBUFFERED": "1"}


MakeFleet: TypeAlias = Callable[..., Fleet]
"""Starts nodes as processes, which end with the test."""
