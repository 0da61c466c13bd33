"""What befalls the nodes, the network and the source: one fault after another, as chance has it."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from simulation.cluster import Cluster, SimulatedNode
from simulation.network import Network, Weather
from simulation.plan import MEMBERS, Climate, Plan
from simulation.source import Mood, Source

from cache_core.cluster.member import Member


class Nemesis:
    """Brings about one fault after another; `harry` removes while nodes come and go."""

    def __init__(
        self,
        plan: Plan,
        cluster: Cluster,
        source: Source,
        rng: random.Random,
        harry: Callable[[], Awaitable[None]],
    ) -> None:
        self._plan = plan
        self._harry = harry
        self._cluster = cluster
        self._source = source
        self._network: Network = cluster.parts.network
        self._history = cluster.parts.history
        self._rng = rng
        self._frozen: list[SimulatedNode] = []
        self._is_peace = False

    async def rage(self) -> None:
        """Go on until cancelled."""
        if self._plan.climate in (Climate.CALM, Climate.TOGETHER):
            return
        if self._plan.climate is Climate.ONE_DOWN:
            await self._take_one_down()
            return
        does: dict[str, Callable[[], Awaitable[None]]] = {
            "crash": self._crash,
            "drain": self._drain,
            "freeze": self._freeze,
            "cut": self._cut,
            "isolate": self._isolate,
            "spoil": self._spoil,
            "join": self._join,
        }
        while True:
            await asyncio.sleep(self._rng.expovariate(1.6))
            await does[self._rng.choice(self._plan.faults)]()

    def make_peace(self) -> None:
        """End every fault but those nodes that are down, and start these."""
        self._cluster.fault()
        self._network.heal()
        self._network.weather = Weather()
        self._network.reset()
        self._source.mood = Mood()
        self._is_peace = True
        for node in list(self._frozen):
            self._thaw(node)
        for member in list(self._cluster.parts.registry.members):
            if member.name not in self._cluster.nodes:
                self._cluster.start(member)

    async def _take_one_down(self) -> None:
        await asyncio.sleep(self._rng.uniform(1, 2))
        node = self._rng.choice(self._cluster.serving())
        if self._rng.random() < 0.4:
            self._cluster.stop(node)
        else:
            self._cluster.kill(node, silent=self._rng.random() < 0.3)
            if self._rng.random() < 0.5:
                await asyncio.sleep(self._rng.uniform(0.2, 3))
                self._cluster.start(node.member)

    async def _crash(self) -> None:
        node = self._victim()
        if node is None:
            return
        self._cluster.kill(node, silent=self._rng.random() < 0.3)
        chance = self._rng.random()
        if chance < 0.2:  # its lease ends, and it never comes back
            self._cluster.parts.registry.remove(node.member)
        else:
            self._after(self._rng.uniform(0.1, 3), self._restart, node.member)

    async def _drain(self) -> None:
        if (node := self._victim()) is not None:
            self._cluster.stop(node)
            await self._harry()

    async def _freeze(self) -> None:
        if (node := self._victim()) is not None:
            self._history.note(node.name, "freezes")
            self._cluster.fault()
            node.process.freeze()
            self._frozen.append(node)
            self._after(self._rng.uniform(0.2, 3), self._thaw, node)

    async def _cut(self) -> None:
        names = [*self._cluster.nodes, *(client.name for client in self._cluster.clients)]
        one, other = self._rng.choice(list(self._cluster.nodes)), self._rng.choice(names)
        if one == other:
            return
        ways = self._rng.choice([[(one, other)], [(other, one)], [(one, other), (other, one)]])
        self._separate(ways)

    async def _isolate(self) -> None:
        alone = self._rng.choice(list(self._cluster.nodes))
        others = [name for name in self._cluster.nodes if name != alone]
        self._separate([way for name in others for way in ((alone, name), (name, alone))])

    async def _spoil(self) -> None:
        self._history.note("source", "turns bad")
        self._cluster.fault()
        self._source.mood = self._rng.choice([Mood(fails=0.7), Mood(hangs=0.5), Mood(slowness=0.5)])
        self._after(self._rng.uniform(0.2, 1.5), self._mend)

    async def _join(self) -> None:
        known = self._cluster.parts.registry.members
        new = [m for m in MEMBERS if m not in known and m.name not in self._cluster.nodes]
        if new:
            self._cluster.start(self._rng.choice(new))
            await self._harry()

    def _separate(self, ways: list[tuple[str, str]]) -> None:
        self._cluster.fault()
        self._history.note("network", "is cut", *(f"{a}>{b}" for a, b in ways))
        for way in ways:
            self._network.cut(*way)
        self._after(self._rng.uniform(0.3, 3), self._join_again, ways)

    def _join_again(self, ways: list[tuple[str, str]]) -> None:
        self._cluster.fault()
        self._history.note("network", "is whole", *(f"{a}>{b}" for a, b in ways))
        self._network.blocked.difference_update(ways)

    def _mend(self) -> None:
        if not self._is_peace:
            self._cluster.fault()
            self._source.mood = self._plan.mood

    def _restart(self, member: Member) -> None:
        known = member in self._cluster.parts.registry.members
        if known and member.name not in self._cluster.nodes:
            self._cluster.start(member)

    def _thaw(self, node: SimulatedNode) -> None:
        if node in self._frozen:
            self._history.note(node.name, "thaws")
            self._cluster.fault()
            self._frozen.remove(node)
            node.process.thaw()

    def _victim(self) -> SimulatedNode | None:
        """Return a node that serves; another, at least, goes on."""
        serving = [node for node in self._cluster.serving() if node not in self._frozen]
        return self._rng.choice(serving) if len(serving) > 1 else None

    def _after(self, seconds: float, do: Callable[..., None], *args: object) -> None:
        asyncio.get_running_loop().call_later(seconds, do, *args)
