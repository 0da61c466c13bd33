"""What is measured against each other, started once each and ended together."""

import contextlib
import functools
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from keyset import GROUP
from pinned import GAOCACHE, SERVERS, free_ports, serving
from programs import program
from sized_values import CONFIG_TARGET
from transcoder import write_config

HERE: Final = Path(__file__).parent
CAPACITY: Final = "1GiB"
NEAR_CACHE: Final = "32MiB"


@dataclass(frozen=True, slots=True)
class Server:
    """Where something serves, and the processes that do so, by what they are."""

    port: int
    parts: Mapping[str, int]


Cores: TypeAlias = Collection[int]


class Stage:
    """Starts servers on core 0 unless told otherwise; all are ended with the `with` of `started`.

    Nodes have the groups `values`, or as many as `groups` says, over sized_values.py, each
    with its own `capacity`.
    """

    def __init__(
        self, started: contextlib.ExitStack, folder: Path, *, capacity: str = CAPACITY
    ) -> None:
        self._capacity = capacity
        self._started = started
        self._folder = folder
        self._nodes: dict[str, Server] = {}

    @property
    def engines(self) -> list[str]:
        """The engines on which `node` has started one."""
        return list(self._nodes)

    def node(self, engine: str) -> Server:
        """Return the one node on the engine that contenders share; it is started by the first."""
        if engine not in self._nodes:
            self._nodes[engine] = self.new_node(engine)
        return self._nodes[engine]

    def new_node(
        self,
        engine: str,
        *,
        cores: Cores = SERVERS,
        groups: Sequence[str] = (GROUP,),
        port: int | None = None,
        peers: str | None = None,
    ) -> Server:
        """Start a node on the engine."""
        port = port or free_ports(1)[0]
        command = [GAOCACHE, "node", "--listen", f"127.0.0.1:{port}", "--grpc-engine", engine]
        command += ["--config", str(self._config(groups)), "--drain", "0"]
        command += ["--peers", peers] if peers else []
        return self._start("node", command, port, cores)

    def gateway(
        self,
        nodes: Sequence[Server],
        *,
        near_cache: str = "0",
        fast_lane: bool = True,
        workers: int = 1,
        cores: Cores = SERVERS,
    ) -> Server:
        """Start a gateway in front of nodes, which count as parts of it."""
        port = free_ports(1)[0]
        command = [GAOCACHE, "gateway", "--listen", f"127.0.0.1:{port}"]
        command += ["--near-cache", near_cache]
        command += ["--fast-lane" if fast_lane else "--no-fast-lane"]
        command += ["--workers", str(workers)] if workers > 1 else []
        command += ["--peers", peers_of(nodes)] if len(nodes) > 1 else []
        command += ["--node", f"127.0.0.1:{nodes[0].port}"] if len(nodes) == 1 else []
        return _joined(self._start("gateway", command, port, cores), nodes)

    def app(self, name: str, *arguments: object, behind: Sequence[Server] = ()) -> Server:
        """Start a program in apps/ on a free port, in front of other servers."""
        port = free_ports(1)[0]
        command = [sys.executable, str(HERE / "apps" / f"{name}.py"), str(port)]
        command += map(str, arguments)
        return _joined(self._start("app", command, port, SERVERS), behind)

    @functools.cached_property
    def redis(self) -> Server:
        """A redis-server that keeps nothing on the disk."""
        port = free_ports(1)[0]
        command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        return self._start("redis", command, port, SERVERS)

    def envoy(self, node: Server) -> Server:
        """Start Envoy's transcoder, with one worker, in front of a node."""
        port = free_ports(1)[0]
        config = write_config(self._folder, port, node.port)
        command = [program("envoy"), "-c", str(config), "--concurrency", "1"]
        command += ["--disable-hot-restart", "-l", "error"]
        return _joined(self._start("envoy", command, port, SERVERS), [node])

    def _start(self, part: str, command: Sequence[str], port: int, cores: Cores) -> Server:
        environment = {"PYTHONPATH": str(HERE)}  # where a node finds its source
        pid = self._started.enter_context(
            serving(command, port, cores=cores, environment=environment)
        )
        return Server(port, {part: pid})

    def _config(self, groups: Sequence[str]) -> Path:
        file = self._folder / f"groups-{len(groups)}.toml"
        file.write_text("".join(_group_table(name, self._capacity) for name in groups))
        return file


def peers_of(nodes: Sequence[Server]) -> str:
    """Return what the members of a cluster of these nodes are told."""
    return peers_at([node.port for node in nodes])


def peers_at(ports: Sequence[int]) -> str:
    """Return the same of nodes that will serve at these ports."""
    return f"static://{','.join(f'127.0.0.1:{port}' for port in ports)}"


def _group_table(name: str, capacity: str) -> str:
    return (
        f'[groups.{name}]\ncapacity = "{capacity}"\n\n'
        f'[groups.{name}.source]\nkind = "python"\ntarget = "{CONFIG_TARGET}"\n\n'
    )


def _joined(front: Server, behind: Sequence[Server]) -> Server:
    parts = dict(front.parts)
    for server in behind:
        for name, pid in server.parts.items():
            parts[name if name not in parts else f"{name} {len(parts)}"] = pid
    return Server(front.port, parts)
