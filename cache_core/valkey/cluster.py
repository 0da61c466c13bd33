"""A Cluster of Valkeys or Redises: its topology and connections are redis-py's.

Which server is sent which command is decided here, because redis-py's own pipelines send ASKING
over one connection and the command over another, and close the connections of all callers when one
server is lost.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from redis.asyncio.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, SlotNotCoveredError

from cache_core.valkey.command import Command
from cache_core.valkey.failure import CAUGHT, IS_FINAL, IS_LOST
from cache_core.valkey.url import StoreUrl

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at which server has which slots, because many calls want a look."""

REDIRECTIONS: Final = 4
"""How often a command is sent on from server to server at the most."""


class _Call(PipelineCommand):
    def __init__(self, position: int, command: Command) -> None:
        super().__init__(position, *command.words)
        self.slot = key_slot(command.key.encode())
        self.server: str | None = None
        """The name of the server that has been asked."""

    @property
    def is_lost(self) -> bool:
        return isinstance(self.result, IS_LOST) and not isinstance(self.result, IS_FINAL)


class ClusterLink:
    """A StoreLink to the Cluster of `url`'s hosts; a server has `timeout` seconds for an answer."""

    def __init__(self, url: StoreUrl, *, timeout: float) -> None:
        self._nodes = RedisCluster(
            startup_nodes=[ClusterNode(host.host, host.port) for host in url.hosts],
            require_full_coverage=False,
            username=url.user,
            password=url.password,
            ssl=url.tls,
            max_connections=2**31,  # its caller has a limit for all servers
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        ).nodes_manager
        self._looked = float("-inf")

    async def ask(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Ask each server in one round trip, and again where slots have moved; as StoreLink."""
        if not self._nodes.slots_cache:
            await self._look()
        calls = [_Call(position, command) for position, command in enumerate(commands)]
        await self._send(calls)
        lost = [call for call in calls if call.is_lost]
        if lost:
            await self._look(lost[0].server)
            await self._send(lost)
        for _ in range(REDIRECTIONS):
            redirected = [call for call in calls if isinstance(call.result, AskError)]
            if not redirected:
                break
            await self._redirect(redirected)
        return [call.result for call in calls]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._nodes.aclose()
        await self._nodes.aclose("startup_nodes")

    async def _look(self, lost: str | None = None) -> None:
        """Look which server has which slots, unless that was done lately; ask `lost` last."""
        now = asyncio.get_running_loop().time()
        if not self._nodes.slots_cache or now - self._looked >= LOOK_EVERY:
            self._looked = now
            await self._nodes.initialize(last_failed_node_name=lost)

    async def _send(self, calls: Iterable[_Call]) -> None:
        parts: dict[str, tuple[ClusterNode, list[PipelineCommand]]] = {}
        for call in calls:
            try:
                node = self._nodes.get_node_from_slot(call.slot)
            except (KeyError, SlotNotCoveredError):
                call.result = SlotNotCoveredError()
                continue
            call.server = node.name
            parts.setdefault(node.name, (node, []))[1].append(call)
        await _exchange(parts.values())

    async def _redirect(self, calls: Iterable[_Call]) -> None:
        moved: list[_Call] = []
        parts: dict[str, tuple[ClusterNode, list[PipelineCommand]]] = {}
        for call in calls:
            match call.result:
                case MovedError() as error:
                    self._nodes.slots_cache.setdefault(error.slot_id, [])
                    await self._nodes.move_slot(error)
                    moved.append(call)
                case AskError() as error:
                    node = self._node(error)
                    asked = parts.setdefault(node.name, (node, []))[1]
                    asked += [PipelineCommand(0, "ASKING"), call]
        await _exchange(parts.values())
        await self._send(moved)

    def _node(self, error: AskError) -> ClusterNode:
        node = self._nodes.get_node(error.host, error.port)
        if node is None:  # it has no slots yet, so nobody has told of it
            node = ClusterNode(error.host, error.port, **self._nodes.connection_kwargs)
            self._nodes.set_nodes(self._nodes.nodes_cache, {node.name: node})
        return node


async def _exchange(parts: Iterable[tuple[ClusterNode, list[PipelineCommand]]]) -> None:
    """Send each server its commands, to all at the same time, and wait for their answers."""
    async with asyncio.TaskGroup() as exchanges:
        for node, calls in parts:
            exchanges.create_task(_exchange_with(node, calls))


async def _exchange_with(node: ClusterNode, calls: list[PipelineCommand]) -> None:
    try:
        await node.execute_pipeline(calls)
    except CAUGHT as error:
        for call in calls:
            call.result = error
