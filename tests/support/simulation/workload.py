"""What clients and applications inside nodes do: reads, removals, and writes at the source."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from simulation.cluster import GROUP, Cluster, SimulatedClient, SimulatedNode, read_at
from simulation.outcome import Outcome
from simulation.plan import Climate, Plan
from simulation.rules import Rules
from simulation.source import Source

from cache_core import CacheError, NotFound, Value
from cache_core.messages import Removal, RemoveEverywhere
from cache_core.trace import Trace, current_trace

GENEROUS: Final = 15.0
"""Seconds within which a get succeeds though a node has just gone."""

PATIENT: Final = 5.0
"""Seconds within which a removal succeeds while every node is well."""

HURRY: Final = 0.2
"""Seconds after a fault in which more is asked than else."""

IN_PROCESS: Final = 60.0
"""Seconds that a get without a deadline may take, in a node."""


class Workload:
    """Drives the cluster, and tells the rules what came of it."""

    def __init__(
        self, plan: Plan, cluster: Cluster, source: Source, rules: Rules, rng: random.Random
    ) -> None:
        self._plan = plan
        self._cluster = cluster
        self._source = source
        self._rules = rules
        self._rng = rng
        self._must_succeed = (
            plan.climate in (Climate.CALM, Climate.ONE_DOWN)
            and plan.mood.is_healthy
            and plan.settings.load_queue > 2
        )

    async def use(self, client: SimulatedClient) -> None:
        """Do one thing after another at `client`, until cancelled."""
        rng = self._rng
        while True:
            await self._pause()
            chance, key = rng.random(), self._key()
            if chance < 0.6:
                await self.read(client, key, self._timeout())
            elif chance < 0.7:
                await self.storm(key)
            elif chance < 0.78:
                timeout = self._timeout()
                keys = [rng.choice(self._plan.keys) for _ in range(3)]
                await self._read_many(client, keys, timeout)
            elif chance < 0.88:
                self._source.write(key)
            else:
                if rng.random() < 0.7:
                    self._source.write(key)
                await self.remove(client, None if chance > 0.985 else key, rng.choice([0.3, 2, 5]))

    async def use_inside(self) -> None:
        """Read at the nodes themselves, until cancelled."""
        while True:
            await self._pause()
            serving = [node for node in self._cluster.serving() if not node.process.is_frozen]
            if serving:
                await self.read_inside(self._rng.choice(serving), self._key())

    async def read(self, client: SimulatedClient, key: str, timeout: float) -> Outcome:
        """Get a key at a client."""
        must = self._must_succeed and timeout >= GENEROUS
        read = self._rules.read_began(client.process, key, timeout, must_succeed=must)
        current_trace.set(Trace(read.call))
        copy = client.client.peek(GROUP, key)
        if copy is not None:
            self._rules.copy_read(read, copy)
            return copy
        outcome = await _outcome(lambda: client.client.get(GROUP, key, timeout=timeout))
        self._rules.read_ended(read, outcome)
        return outcome

    async def read_inside(self, node: SimulatedNode, key: str) -> Outcome | None:
        """Get a key at a node; None where the node died meanwhile, or failed because it leaves."""
        must = self._must_succeed
        read = self._rules.read_began(
            node.process, key, IN_PROCESS, must_succeed=must, is_inside=True
        )
        current_trace.set(Trace(read.call))
        network = self._cluster.parts.network
        reading = node.process.spawn(_outcome(lambda: read_at(node, network, key)))
        await asyncio.wait([reading])
        if reading.cancelled() or not node.process.is_alive:
            return None
        outcome = reading.result()
        if node.is_leaving and not isinstance(outcome, Value | NotFound):
            return None
        self._rules.read_ended(read, outcome)
        return outcome

    async def remove(
        self, client: SimulatedClient, key: str | None, timeout: float
    ) -> tuple[str, ...] | None:
        """Remove a key, or all, at a client; return who was not reached, None if it failed."""
        removal = self._rules.removal_began(client.name, key)
        call = (
            client.client.flush(GROUP, timeout=timeout)
            if key is None
            else client.client.remove(GROUP, key, timeout=timeout)
        )
        try:
            unreached = await call
        except CacheError as error:
            is_calm = self._plan.climate is Climate.CALM  # else it may wait at a silent node
            must = self._must_succeed and is_calm and timeout >= PATIENT
            self._rules.removal_failed(client.name, removal, error, timeout, must_succeed=must)
            return None
        self._rules.removal_ended(client.name, removal, unreached, timeout)
        return unreached

    async def remove_inside(
        self, node: SimulatedNode, key: str | None, timeout: float
    ) -> tuple[str, ...] | None:
        """Remove a key, or all, at a node; return who was not reached, None where it died."""
        removal = self._rules.removal_began(f"in {node.name}", key)
        what = Removal(GROUP, key)

        async def everywhere() -> tuple[str, ...]:
            with self._rules.removing(node.process, what, timeout):
                return await node.participant.receive(RemoveEverywhere(what, timeout))

        removing = node.process.spawn(everywhere())
        await asyncio.wait([removing])
        if removing.cancelled() or not node.process.is_alive:
            return None
        self._rules.removal_ended(f"in {node.name}", removal, removing.result(), timeout)
        return removing.result()

    async def _read_many(self, client: SimulatedClient, keys: list[str], timeout: float) -> None:
        keys = [key for key in dict.fromkeys(keys) if client.client.peek(GROUP, key) is None]
        must = self._must_succeed and timeout >= GENEROUS
        reads = [
            self._rules.read_began(client.process, key, timeout, must_succeed=must) for key in keys
        ]
        current_trace.set(Trace(""))
        outcomes = await client.client.get_many(GROUP, keys, timeout=timeout)
        for read in reads:
            self._rules.read_ended(read, outcomes[read.key])

    async def harry(self) -> None:
        """Write and remove every key while what befell the cluster is being dealt with."""
        clients, rng = self._cluster.clients, self._rng
        for _ in range(rng.randrange(1, 3)):
            await asyncio.sleep(rng.uniform(0, 6 * self._plan.weather.delay))
            removing = []
            for key in self._plan.keys:
                self._source.write(key)
                removing.append(self.remove(rng.choice(clients), key, 5))
            await asyncio.gather(*removing)

    async def storm(self, key: str) -> None:
        """Let many read a key, at a node that has a copy soon, while it is written and removed."""
        rng, delay = self._rng, self._plan.weather.delay
        serving = self._cluster.serving()
        if not serving:
            return
        node = rng.choice(serving)
        reads = []
        for _ in range(rng.randrange(4, 8)):
            reads.append(asyncio.create_task(self.read_inside(node, key)))
            await asyncio.sleep(rng.uniform(0, 2 * delay))
        await asyncio.sleep(rng.uniform(0, 4 * delay))
        self._source.write(key)
        client, what = rng.choice(self._cluster.clients), None if rng.random() < 0.3 else key
        removing = asyncio.create_task(self.remove(client, what, 5))
        for _ in range(rng.randrange(1, 5)):
            reads.append(asyncio.create_task(self.read_inside(node, key)))
            await asyncio.sleep(rng.uniform(0, 2 * delay))
        await asyncio.gather(removing, *reads)
        await self.read_inside(node, key)
        for reader in self._cluster.clients:
            await self.read(reader, key, GENEROUS)

    async def _pause(self) -> None:
        """Do nothing for a while, a shorter one while something has just befallen the cluster."""
        loop = asyncio.get_running_loop()
        pause = self._plan.pause
        if loop.time() - self._cluster.last_fault < HURRY:
            pause /= 4
        await asyncio.sleep(self._rng.expovariate(1 / pause))

    def _key(self) -> str:
        keys = self._plan.keys
        return keys[0] if self._rng.random() < 0.5 else self._rng.choice(keys)

    def _timeout(self) -> float:
        return self._rng.choice([0.02, 0.1, 1.0, GENEROUS, GENEROUS])


async def _outcome(get: Callable[[], Awaitable[Outcome]]) -> Outcome:
    try:
        return await get()
    except CacheError as error:
        return error
