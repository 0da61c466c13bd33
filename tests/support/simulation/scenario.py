"""What happens in a run: what clients do, and what befalls nodes, network and source."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self

from simulation.cluster import Cluster, SimulatedNode
from simulation.network import Network, Weather
from simulation.source import Mood, Source

from cache_core import GroupSettings
from cache_core.cluster.member import Member

MEMBERS: Final = tuple(Member(f"node-{number}:1", 1 + (number == 3)) for number in range(1, 7))


class Climate(Enum):
    """How much goes wrong in a run."""

    CALM = "calm"
    """Nothing: no fault of the network and the nodes; the source may fail."""
    ONE_DOWN = "one down"
    """Of three nodes or more, one crashes or leaves; all else is well."""
    STORMY = "stormy"
    """All faults there are."""
    DIVIDED = "divided"
    """All faults, and lists of members that never agree."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that chance decides of a run beforehand; times in seconds."""

    climate: Climate
    nodes: int
    clients: int
    keys: tuple[str, ...]
    settings: GroupSettings
    weather: Weather
    mood: Mood
    seconds: float
    pause: float
    heals: bool
    telling: float
    near_cache: int
    hidden: dict[str, tuple[Member, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rng: random.Random) -> Self:
        """Return what `rng` decides."""
        climate = rng.choices(list(Climate), [2, 2, 5, 1])[0]
        nodes = rng.choice([2, 3, 3, 3, 4, 5])
        if climate is Climate.ONE_DOWN:
            nodes = max(nodes, 3)
        rough = climate in (Climate.STORMY, Climate.DIVIDED)
        return cls(
            climate=climate,
            nodes=nodes,
            clients=rng.choice([2, 3]),
            keys=tuple(f"key-{number}" for number in range(rng.choice([1, 3, 6]))),
            settings=_settings(rng),
            weather=Weather(
                loss=rng.choice([0, 0, 0.01, 0.05]) if rough else 0,
                reset=rng.choice([0, 0, 0.01, 0.05]) if rough else 0,
                delay=rng.choice([0.001, 0.01, 0.03]),
                slow=rng.choice([0, 0.02]) if rough else 0,
            ),
            mood=Mood() if climate is Climate.ONE_DOWN else _mood(rng),
            seconds=rng.uniform(1.5, 4.5),
            pause=rng.choice([0.1, 0.2, 0.4]),
            heals=rng.random() < 0.3,
            telling=rng.choice([0.01, 0.3]),
            near_cache=rng.choice([0, 4_000, 1_000_000, 1_000_000]),
            hidden=_hidden(rng, nodes) if climate is Climate.DIVIDED else {},
        )


def _settings(rng: random.Random) -> GroupSettings:
    ttl = rng.choice([None, 1.0, 4.0])
    return GroupSettings(
        capacity=rng.choice([4_000, 1_000_000]),
        policy=rng.choice(["s3fifo", "lru", "lfu"]),
        ttl=ttl,
        jitter=rng.choice([0, 0.1]),
        stale_while_revalidate=rng.choice([0, 0, 1.0]),
        stale_if_error=rng.choice([0, 0, 1.0]),
        negative_ttl=rng.choice([0, 1.0]),
        refresh_ahead=rng.choice([0, 0.4]) if ttl else 0,
        hot_share=rng.choice([0.125, 0.4]),
        hot_ttl=rng.choice([0, 0.5, 1.5, 1.5]),
        load_timeout=rng.choice([0.5, 2.0]),
        load_concurrency=rng.choice([1, 64, 64]),
        load_queue=rng.choice([1, 64]),
    )


def _mood(rng: random.Random) -> Mood:
    return Mood(
        fails=rng.choice([0, 0, 0.1]),
        hangs=rng.choice([0, 0, 0.03]),
        slowness=rng.choice([0.01, 0.05, 0.2]),
    )


def _hidden(rng: random.Random, nodes: int) -> dict[str, tuple[Member, ...]]:
    """Hide one member from one other node, and one from a client: never each from the other."""
    one, other = rng.sample(MEMBERS[:nodes], 2)
    return {one.name: (other,), "client-1": (one,)}


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
        if self._plan.climate is Climate.CALM:
            return
        if self._plan.climate is Climate.ONE_DOWN:
            await self._take_one_down()
            return
        faults: list[Callable[[], Awaitable[None]]] = [
            *(self._crash, self._drain, self._drain, self._freeze),
            *(self._cut, self._isolate, self._spoil, self._join),
        ]
        while True:
            await asyncio.sleep(self._rng.expovariate(1.6))
            await self._rng.choice(faults)()

    def make_peace(self) -> None:
        """End every fault but those nodes that are down, and start these."""
        self._cluster.fault()
        self._network.heal()
        self._network.weather = Weather()
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
