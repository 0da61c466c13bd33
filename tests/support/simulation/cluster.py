"""Nodes and clients over the simulated network: started, stopped, killed and frozen."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulation.history import History
from simulation.loop import Process
from simulation.membership import Registry, View
from simulation.network import Endpoint, Network, peek
from simulation.source import NodeSource, Source
from simulation.tier import NodeTier, Store
from simulation.watched import WatchedWire
from simulation.wire import Wire

from cache_core import Client, Group, GroupSettings
from cache_core.cluster.member import Member
from cache_core.errors import PeerUnavailable
from cache_core.events import Event, MemberBack, MemberLeftOut, MembersChanged
from cache_core.node.groups import NodeGroups
from cache_core.node.participant import Participant
from cache_core.value import Value

GROUP: Final = "g"
DRAIN: Final = 2.0
GRACE: Final = 1.0


@dataclass(slots=True)
class Parts:
    """What all nodes and clients of a run share."""

    seed: str
    network: Network
    source: Source
    history: History
    registry: Registry
    settings: GroupSettings
    near_cache: int
    tier: Store | None

    def rng(self, *names: object) -> random.Random:
        """Return chance that depends on the seed and the names alone."""
        return random.Random(":".join(map(str, (self.seed, *names))))


class SimulatedNode:
    """One node: what cache_core.node.node.Node does, without its sockets."""

    def __init__(self, parts: Parts, member: Member, incarnation: int, view: View) -> None:
        self.member = member
        self.name = member.name
        self.incarnation = incarnation
        self._parts = parts
        self.view = view
        self.process = process = Process(member.name)
        rng = parts.rng(self.name, incarnation)
        self._rng = rng
        self.left_out: list[str] = []
        """The nodes that it left out, in order; one may be there more than once."""
        self._groups = NodeGroups([self._group(parts.settings)], None)
        self.participant = Participant(
            self.name,
            self._groups,
            lambda name: Wire(parts.network, process, name),
            hook=self._noted,
            clock=asyncio.get_running_loop().time,
            rng=rng,
        )
        self._watch_the_tier()
        self.endpoint = Endpoint(self.name, process, self.participant)
        self.is_leaving = False

    async def start(self) -> None:
        """Serve, and join; as Node.start."""
        participant = self.participant
        participant.open(self.view.watch())
        self._parts.network.open(self.endpoint)
        await participant.take_own()
        participant.is_ready = True
        await self.view.join(self.member)
        participant.announce()
        self._parts.history.note(self.name, "serves", self.incarnation)

    async def stop(self) -> None:
        """Leave, drain and end; as Node.stop."""
        self.is_leaving = True
        self._parts.history.note(self.name, "drains")
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN
        self.participant.is_ready = False
        self._parts.registry.remove(self.member)
        if await self.participant.leave():
            await asyncio.sleep(until - loop.time())
        self.endpoint.refuses_gets = True
        self.participant.watchers.end()
        until = loop.time() + GRACE
        while self.endpoint.running and loop.time() < until:  # noqa: ASYNC110 - it costs no time
            await asyncio.sleep(0.05)
        self._parts.network.stop(self.endpoint)
        self.process.gone = loop.time()
        await self.participant.aclose()
        await self._groups.close_sources()
        self._parts.registry.forget(self.view)
        self._parts.history.note(self.name, "has left")

    def kill(self, *, silent: bool) -> None:
        """End at once, and forget everything."""
        self._parts.history.note(self.name, "crashes", "silently" if silent else "")
        self._parts.registry.forget(self.view)
        self._parts.network.crash(self.endpoint, silent=silent)

    def reload(self, settings: GroupSettings) -> None:
        """Go by `settings` from now on, as Node.reload; runs in the node's process."""
        self._parts.history.note(self.name, "reloads")
        self._groups.reload([self._group(settings)], self.participant)

    @property
    def serves(self) -> bool:
        """Whether it is up, ready and staying."""
        return self.process.is_alive and self.participant.is_ready and not self.is_leaving

    def _group(self, settings: GroupSettings) -> Group:
        parts = self._parts
        return Group(
            GROUP,
            NodeSource(parts.source, self.process),
            settings,
            tier=None if parts.tier is None else NodeTier(parts.tier, self.process),
            clock=asyncio.get_running_loop().time,
            rng=self._rng,
        )

    def _watch_the_tier(self) -> None:
        """Have the rules hear of removals that the tier took only later."""
        group = self.participant.groups[GROUP].group
        removals = group.origin.removals
        if removals is None or (told := removals.taken) is None:
            return

        def taken(key: str | None) -> None:
            told(key)
            self._parts.network.watcher.tier_took(self.process, key)

        group.on_removed_beyond(taken)

    def _noted(self, event: Event) -> None:
        if isinstance(event, MemberLeftOut):
            self.left_out.append(event.node)
            self._parts.history.note(self.name, "leaves out", event.node, event.words)
        elif isinstance(event, MemberBack):
            self._parts.history.note(self.name, "has back", event.node)
        elif isinstance(event, MembersChanged):
            self._parts.history.note(self.name, "knows", *event.nodes)


class SimulatedClient:
    """A real Client in a process of its own."""

    def __init__(self, parts: Parts, name: str, view: View) -> None:
        self.name = name
        self.process = process = Process(name)
        self.client = Client(
            view,
            near_cache=parts.near_cache,
            connect=lambda node: WatchedWire(parts.network, process, node),
            clock=asyncio.get_running_loop().time,
            rng=parts.rng(name),
        )


class Cluster:
    """The live nodes by name, the clients, and the processes of all that ever were."""

    def __init__(
        self,
        parts: Parts,
        hides: Callable[[str], tuple[Member, ...]],
        fell: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self.parts = parts
        self.nodes: dict[str, SimulatedNode] = {}
        self.clients: list[SimulatedClient] = []
        self.processes: list[Process] = []
        self.last_fault = asyncio.get_running_loop().time()
        self._hides = hides
        self._incarnations: dict[str, int] = {}
        self._fell = fell

    def start(self, member: Member) -> "asyncio.Task[None]":
        """Start a node at the member's address, which nobody has now."""
        self.fault()
        incarnation = self._incarnations.get(member.name, 0) + 1
        self._incarnations[member.name] = incarnation
        view = self.parts.registry.view(*self._hides(member.name))
        node = self.nodes[member.name] = SimulatedNode(self.parts, member, incarnation, view)
        self.processes.append(node.process)
        return self._watched(node.process.spawn(node.start()))

    def stop(self, node: SimulatedNode) -> None:
        """Let a node leave."""
        self.fault()
        node.is_leaving = True
        self._watched(node.process.spawn(self._stop(node)))

    def kill(self, node: SimulatedNode, *, silent: bool) -> None:
        """End a node."""
        self.fault()
        node.kill(silent=silent)
        del self.nodes[node.name]

    def connect(self, name: str, *, only: Member | None = None) -> None:
        """Start a client, of all nodes or of one."""
        view = self.parts.registry.view(*self._hides(name), only=only)
        self.clients.append(SimulatedClient(self.parts, name, view))
        self.processes.append(self.clients[-1].process)

    def fault(self) -> None:
        """Note that something happened from which the cluster must settle."""
        self.last_fault = asyncio.get_running_loop().time()

    def serving(self) -> list[SimulatedNode]:
        """Return the nodes that serve."""
        return [node for node in self.nodes.values() if node.serves]

    def agreed_owner(self, key: str) -> str | None:
        """Return who all nodes and clients think owns `key`, if they agree."""
        owners = [node.participant.peers.owner(key) for node in self.nodes.values()]
        return owners[0] if len(set(owners)) == 1 else None

    def _watched(self, task: "asyncio.Task[None]") -> "asyncio.Task[None]":
        task.add_done_callback(self._fell)
        return task

    async def _stop(self, node: SimulatedNode) -> None:
        await node.stop()
        if self.nodes.get(node.name) is node:
            del self.nodes[node.name]


async def read_at(node: SimulatedNode, network: Network, key: str) -> Value:
    """Return what an application inside the node gets, as from Node.get."""
    if not node.process.is_alive:
        raise PeerUnavailable("the node has not been started")
    value = peek(network, node.endpoint, GROUP, key)
    return value if value is not None else await node.participant.get(GROUP, key)
