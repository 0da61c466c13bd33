"""A removal while values are loaded anew, by other settings, or without the second tier.

Each returns whether it really came about.
"""

import asyncio

from simulation.outcome import version_of
from simulation.situations.stage import Stage
from simulation.tier import UNREACHABLE
from simulation.workload import GENEROUS

from cache_core import NotFound, Value

TIER_TOLD = 3.0
"""Seconds within which the tier, and all nodes after it, are told of a removal that it missed."""


async def flush_beside_refresh(stage: Stage) -> bool:
    """A flush comes while entries are loaded anew before their time is over."""
    ttl = stage.plan.settings.ttl or 1.0
    client = stage.rng.choice(stage.cluster.clients)
    await asyncio.sleep(ttl * stage.rng.uniform(0.6, 1.2))
    storms = [asyncio.create_task(stage.work.storm(key)) for key in stage.plan.keys[:2]]
    await stage.moment(0.05)
    for key in stage.plan.keys:
        stage.source.write(key)
    reached = any(load.ended is None for load in stage.source.loads)
    await stage.work.remove(client, None, GENEROUS)
    await asyncio.gather(*storms)
    return reached


async def reloads(stage: Stage) -> bool:
    """Nodes take other settings, and another source, while their loads run and are removed."""
    remover, other = stage.two()
    update = {"policy": stage.rng.choice(["s3fifo", "lru", "lfu"])}
    settings = stage.plan.settings.model_copy(update=update)
    storm = asyncio.create_task(stage.work.storm(stage.plan.keys[0]))
    removing = asyncio.create_task(stage.remove_all(remover))
    await stage.moment(2 * stage.plan.weather.delay)
    reached = not removing.done()
    for node in stage.rng.sample([remover, other], k=2):
        node.process.context.run(node.reload, settings)
        await stage.moment(2 * stage.plan.weather.delay)
    await asyncio.gather(storm, removing)
    return reached


async def tier_is_away(stage: Stage) -> bool:
    """The second tier can't be reached by who removes, or by anybody."""
    tier = stage.cluster.parts.tier
    if tier is None:
        return False
    remover, other = stage.two()
    away = [remover.name]
    if stage.rng.random() < 0.3:
        away = list(stage.cluster.nodes)
    elif stage.rng.random() < 0.3:
        away.append(other.name)
    tier.unreachable.update(away)
    counts = stage.cluster.parts.history.counts
    before = counts.get(UNREACHABLE, 0)
    await stage.remove_all(remover)
    await stage.read_everywhere()
    if stage.rng.random() < 0.5:
        await stage.remove_all(stage.rng.choice([remover, other]))
    await stage.moment(0.7)
    tier.unreachable.clear()
    reached = counts.get(UNREACHABLE, 0) > before
    began = asyncio.get_running_loop().time()
    for _ in range(6):
        await stage.read_everywhere()
        await asyncio.sleep(stage.rng.uniform(0, 0.5))
    await asyncio.sleep(TIER_TOLD)
    for node in stage.cluster.serving():
        for key, removed in stage.rules.removals.by_key.items():
            outcome = await stage.work.read_inside(node, key)
            floor = max((r.floors[key] for r in removed if r.ended < began), default=0)
            if isinstance(outcome, Value | NotFound) and version_of(outcome) < floor:
                stage.rules.broke("what the tier had outlived a removal", key, node.name)
    return reached
