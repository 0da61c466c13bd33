"""The stage on which situations are played: what they do to a run, in the run's own words."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulation.cluster import Cluster, SimulatedNode
from simulation.network import Network, Way
from simulation.plan import MEMBERS, Plan
from simulation.rings import ring_of
from simulation.rules import Rules
from simulation.source import Source
from simulation.workload import GENEROUS, Workload

from cache_core.cluster.member import Member
from cache_core.messages import Health, Probe


@dataclass(slots=True)
class Stage:
    """The parts of a run, and its chance."""

    plan: Plan
    cluster: Cluster
    source: Source
    rules: Rules
    work: Workload
    rng: random.Random

    @property
    def network(self) -> Network:
        return self.cluster.parts.network

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def some(self, count: int) -> list[SimulatedNode]:
        """Return so many nodes that serve, or all if there are fewer."""
        serving = self.cluster.serving()
        return self.rng.sample(serving, k=min(count, len(serving)))

    def two(self) -> tuple[SimulatedNode, SimulatedNode]:
        """Return two nodes that serve."""
        one, other = self.some(2)
        return one, other

    async def warm(self) -> None:
        """Let every key be held by its owner, and popular everywhere."""
        for _ in range(2):
            await self.read_everywhere()

    async def check(self) -> None:
        """Read every key everywhere: the rules judge what comes."""
        await self.read_everywhere()
        for client in self.cluster.clients:
            for key in self.plan.keys:
                await self.work.read(client, key, GENEROUS)

    async def read_everywhere(self) -> None:
        """Read every key at every node that serves."""
        await asyncio.gather(
            *(
                self.work.read_inside(node, key)
                for node in self.cluster.serving()
                if not node.process.is_frozen
                for key in self.plan.keys
            )
        )

    async def remove_all(self, node: SimulatedNode, timeout: float = 5) -> set[str]:
        """Write and remove every key at `node`; return who was not reached."""
        for key in self.plan.keys:
            self.source.write(key)
        removed = await asyncio.gather(
            *(self.work.remove_inside(node, key, timeout) for key in self.plan.keys)
        )
        return {name for unreached in removed for name in unreached or ()}

    async def owed_by(self, node: SimulatedNode) -> tuple[str, ...]:
        """Return the nodes that have missed a removal, as `node` says."""
        return (await node.participant.receive(Probe(None, 0))).have_missed

    async def remove_in_a_storm(
        self, remover: SimulatedNode, readers: list[SimulatedNode]
    ) -> set[str]:
        """Remove every key while `readers` go on reading two that a third node owns.

        Return who was not reached.
        """
        removing = asyncio.create_task(self.remove_all(remover))
        reads: list[asyncio.Task[object]] = []
        names = {node.name for node in (remover, *readers)}
        while not removing.done():
            for reader in readers:
                owner = reader.participant.peers.owner
                foreign = [key for key in self.plan.keys if owner(key) not in names]
                reads += [
                    asyncio.create_task(self.work.read_inside(reader, key)) for key in foreign[:2]
                ]
            await asyncio.wait([removing], timeout=self.rng.uniform(0.005, 0.04))
        await asyncio.gather(*reads)
        await self.read_everywhere()
        return removing.result()

    def start_new(self, unheard_by: SimulatedNode | None = None) -> SimulatedNode | None:
        """Start a node that has not been there, of which `unheard_by` is not told.

        It is the one that will own most of the keys. None where all there are have been there.
        """
        known = self.cluster.parts.registry.members
        new = [m for m in MEMBERS if m not in known and m.name not in self.cluster.nodes]
        if not new:
            return None
        member = max(new, key=lambda member: self.owned(member, known))
        if unheard_by is not None:
            unheard_by.view.unheard.add(member)
        node = self.start(member)
        if unheard_by is not None:  # others tell the new node of it, which could then speak to it
            self.refuse((member.name, unheard_by.name))
        return node

    def owned(self, member: Member, others: Iterable[Member]) -> int:
        """Return how many of the keys `member` would own among `others`."""
        ring = ring_of((*others, member))
        return sum(ring.owner(key) == member.name for key in self.plan.keys)

    def let_hear(self, node: SimulatedNode) -> None:
        """End all faults of the network, and let `node` hear of all members."""
        self.heal()
        node.view.unheard.clear()
        node.view.refresh()

    def start(self, member: Member) -> SimulatedNode:
        """Start a node at the address of `member`."""
        self.cluster.start(member)
        return self.cluster.nodes[member.name]

    async def serves(self, node: SimulatedNode) -> bool:
        """Wait until `node` serves; return whether it does."""
        return await self.until(lambda: node.serves, 15)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until `condition` holds, for that long at the most; return whether it does."""
        until = asyncio.get_running_loop().time() + seconds
        while not condition() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - it costs no time
            await asyncio.sleep(0.02)
        return condition()

    async def moment(self, seconds: float) -> None:
        """Wait for up to so many seconds."""
        await asyncio.sleep(self.rng.uniform(0, seconds))

    def refuse(self, *ways: Way) -> None:
        """Let nobody call on these ways."""
        self.cluster.fault()
        self.network.refused.update(ways)

    def slow(self, way: Way, least: float, most: float) -> None:
        """Make every message on `way` late by between `least` and `most` seconds."""
        self.cluster.fault()
        self.network.slow[way] = self.rng.uniform(least, most)

    def heal(self) -> None:
        """End all faults of the network."""
        self.cluster.fault()
        self.network.heal()

    def all_reach(self, node: SimulatedNode) -> bool:
        """Tell whether all that `node` has not left out are there."""
        peers = node.participant.peers
        serving = {other.name for other in self.cluster.serving()}
        return all(
            other in serving or peers.health(other) is Health.LEFT_OUT for other in peers.others()
        )

    def tier_is_well(self) -> bool:
        """Tell whether every node reaches the second tier."""
        tier = self.cluster.parts.tier
        return tier is None or not tier.unreachable
