"""One seed's run, from an empty cluster to the last check."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

import pytest
from in_process import all_up
from simulation.cluster import Cluster, Parts
from simulation.hashes import HASHING, steady_hash
from simulation.history import History
from simulation.loop import VirtualLoop
from simulation.membership import Registry
from simulation.nemesis import Nemesis
from simulation.network import Network
from simulation.outcome import version_of
from simulation.plan import MEMBERS, Climate, Plan
from simulation.rings import ring_of
from simulation.rules import Rules
from simulation.situations.play import play
from simulation.situations.stage import Stage
from simulation.source import Source
from simulation.tier import Store
from simulation.workload import GENEROUS, Workload

from cache_core import NotFound, Value
from cache_core.cluster import peers
from cache_core.cluster.watchers import SILENCE_SECONDS
from cache_core.node import handover

SETTLED: Final = 4.0
"""Seconds after the last fault in which what it set off may still go on."""

TOLD: Final = 6.0
"""Seconds within which a node that can be reached again is told of a removal that it missed."""

FORGIVEN: Final = 2 * SILENCE_SECONDS + 1.0
"""Seconds for which a watcher may still be named that was cut off without a word: it takes as long
as its silence until it notices, and as long again until its node is sure of it."""

HEALING: Final = 30.0
"""Seconds within which all see one another again once nothing is wrong any more."""


@dataclass(slots=True)
class Ended:
    """A run that is over; `error` is what broke, if anything did."""

    seed: int
    plan: Plan
    history: History
    seconds: float
    error: Exception | None = None


def run(seed: int) -> Ended:
    """Return how the run of `seed` ended. The same, always, for the same code."""
    loop = VirtualLoop()
    plan = Plan.of(random.Random(f"{seed}:plan"))
    history = History(loop.time)
    ended = Ended(seed, plan, history, 0)
    with pytest.MonkeyPatch.context() as patch:
        for module in (peers, handover):
            patch.setattr(module, "Ring", ring_of)
        for hashing in HASHING:
            patch.setattr(hashing, "hash", steady_hash, raising=False)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(_run(seed, plan, history))
        except Exception as error:  # noqa: BLE001 - told with its seed
            ended.error = error
        finally:
            ended.seconds = loop.time()
            asyncio.set_event_loop(None)
            loop.close()
    if ended.error is None and loop.strays:
        ended.error = AssertionError("nobody took an exception: " + "; ".join(loop.strays))
    return ended


async def _run(seed: int, plan: Plan, history: History) -> None:
    await _Run(seed, plan, history).run()


class _Run:
    def __init__(self, seed: int, plan: Plan, history: History) -> None:
        self._plan = plan
        self._history = history
        rng = random.Random(f"{seed}:run")
        self._source = Source(plan.keys, random.Random(f"{seed}:source"), history)
        self._source.mood = plan.mood
        members = list(MEMBERS[: plan.nodes])
        registry = Registry(members, random.Random(f"{seed}:registry"), slowness=plan.telling)
        self._rules = Rules(
            self._source,
            history,
            plan.settings,
            lambda: self._network.endpoints,
            self._owner,
            has_tier=plan.has_tier,
        )
        self._source.watcher = self._rules
        self._tier = (
            Store(random.Random(f"{seed}:tier"), history, self._rules, delay=plan.weather.delay)
            if plan.has_tier
            else None
        )
        self._network = Network(random.Random(f"{seed}:network"), history, self._rules)
        parts = Parts(
            str(seed),
            self._network,
            self._source,
            history,
            registry,
            plan.settings,
            plan.near_cache,
            self._tier,
        )
        self._cluster = Cluster(parts, lambda name: plan.hidden.get(name, ()), self._fell)
        self._members = members
        self._work = Workload(plan, self._cluster, self._source, self._rules, rng)
        self._nemesis = Nemesis(plan, self._cluster, self._source, rng, self._work.harry)
        self._stage = Stage(plan, self._cluster, self._source, self._rules, self._work, rng)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Run it all; end at the first broken rule."""
        script = asyncio.create_task(self._script())
        await asyncio.wait([script, self._rules.broken], return_when=asyncio.FIRST_COMPLETED)
        for task in [script, *self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._bury()
        if self._rules.broken.done():
            self._rules.broken.result()
        await script

    async def _script(self) -> None:
        plan, cluster = self._plan, self._cluster
        starting = [cluster.start(member) for member in self._members]
        await asyncio.wait(starting, return_when=asyncio.ALL_COMPLETED)
        for number in range(plan.clients):
            is_narrow = number == plan.clients - 1 and plan.climate is not Climate.ONE_DOWN
            only = self._members[0] if is_narrow else None
            cluster.connect(f"client-{number}", only=only)
        self._network.weather = plan.weather
        for client in [*cluster.clients, cluster.clients[0]]:
            self._go(client.process.spawn(self._work.use(client)))
        self._go(asyncio.create_task(self._work.use_inside()))
        self._go(asyncio.create_task(self._nemesis.rage()))
        if plan.situations:
            await play(self._stage)
        else:
            await asyncio.sleep(plan.seconds + plan.aftermath)
        if plan.heals:
            for task in self._tasks:
                task.cancel()
            await self._heal()

    def _go(self, task: "asyncio.Task[None]") -> None:
        self._tasks.append(task)
        task.add_done_callback(self._fell)

    def _fell(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._rules.broke("a task fell over", "", repr(error))

    async def _heal(self) -> None:
        """End all faults: soon everything works again, everywhere, and a removal reaches all."""
        self._nemesis.make_peace()
        await self._become_whole()
        await asyncio.sleep(FORGIVEN)
        client = self._cluster.clients[0]
        for key in self._plan.keys:
            self._source.write(key)
            unreached = await self._work.remove(client, key, GENEROUS)
            if unreached is None or not self._gone().issuperset(unreached):
                self._rules.broke("a whole cluster was not reached", key, unreached)
            for reader in self._cluster.clients[:-1]:  # the last may know only one that left
                if reader.name in self._plan.hidden:  # and so may this one
                    continue
                self._check_latest(key, await self._work.read(reader, key, GENEROUS))
            for node in self._cluster.serving():
                self._check_latest(key, await self._work.read_inside(node, key))
        await self._check_told()

    async def _check_told(self) -> None:
        """Cut a node off for a removal: it is told soon after."""
        serving = self._cluster.serving()
        if len(serving) < 2:
            return
        remover, other = self._stage.two()
        await self._stage.warm()
        self._stage.refuse((remover.name, other.name), (other.name, remover.name))
        missed = other.name in await self._stage.remove_all(remover)
        floors = self._source.snapshot(None)
        self._stage.heal()
        await asyncio.sleep(TOLD)
        for key, floor in floors.items():
            outcome = await self._work.read_inside(other, key)
            if isinstance(outcome, Value | NotFound) and version_of(outcome) < floor:
                self._rules.broke("a node was never told of a removal", key, other.name)
        if missed:
            self._history.note(other.name, "has been told what it missed")

    async def _become_whole(self) -> None:
        until = asyncio.get_running_loop().time() + HEALING
        while not self._is_whole():
            if asyncio.get_running_loop().time() > until:
                self._rules.broke("a healthy cluster did not become whole", "")
            await asyncio.sleep(0.5)
        self._history.note("cluster", "is whole")

    def _gone(self) -> set[str]:
        """Return the nodes that are no more, which a removal may name for a while."""
        return {member.name for member in MEMBERS} - set(self._cluster.nodes)

    def _check_latest(self, key: str, outcome: object) -> None:
        words = outcome.data.decode() if isinstance(outcome, Value) else str(outcome)
        latest = f"{key} {self._source.versions[key]} "
        if not words.startswith(latest):
            self._rules.broke("a healthy cluster did not answer the latest", key, words)

    def _is_whole(self) -> bool:
        nodes = list(self._cluster.nodes.values())
        return all(node.serves and all_up(node.participant.peers) for node in nodes)

    def _owner(self, key: str) -> str | None:
        now = asyncio.get_running_loop().time()
        if now - self._cluster.last_fault < SETTLED or self._is_lossy():
            return None
        if self._plan.settings.load_concurrency == 1:
            return None  # a load may have waited for its place since before the last fault
        return self._cluster.agreed_owner(key)

    def _is_lossy(self) -> bool:
        weather = self._network.weather
        network = self._network
        is_rough = weather.loss or weather.reset or weather.slow
        return bool(is_rough or network.blocked or network.refused or network.slow)

    async def _bury(self) -> None:
        """End every process, so that nothing of the run is left."""
        processes = self._cluster.processes
        for process in processes:
            process.kill()
        for _ in range(100):
            remains = [task for process in processes for task in process.remains]
            if not remains:
                return
            await asyncio.wait(remains, timeout=1)
            for task in remains:
                task.cancel()
        raise AssertionError(f"tasks that can't be ended: {remains}")
