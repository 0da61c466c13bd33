"""A removal while nodes come, go, freeze, or are known to another alone.

Each returns whether it really came about.
"""

import asyncio

from simulation.situations.stage import Stage

from cache_core.node.removal import DEFAULT_SECONDS, ROUND_SHARE


async def missed_and_leaves(stage: Stage) -> bool:
    """A node misses a removal, and offers what it holds before it is told."""
    remover, other = stage.two()
    stage.refuse((remover.name, other.name))
    await stage.remove_all(remover)
    await stage.moment(0.3)
    if not other.serves:
        return False
    reached = other.name in await stage.owed_by(remover)
    stage.cluster.stop(other)
    if stage.rng.random() < 0.5:
        await _tell_soon(stage, other.name)
    await stage.until(lambda: other.name not in stage.cluster.nodes, 10)
    return reached


async def missed_and_joined(stage: Stage) -> bool:
    """A node misses a removal; one that joins could take from it what was removed."""
    remover, other = stage.two()
    ways = [(remover.name, other.name)]
    if stage.rng.random() < 0.7:
        ways.append((other.name, remover.name))
    stage.refuse(*ways)
    await stage.remove_all(remover)
    await stage.moment(0.2)
    joining = stage.start_new()
    return joining is not None and await stage.serves(joining)


async def on_another_list(stage: Stage) -> bool:
    """A node removes while it has not heard of another, which a third one knows."""
    remover, *others = stage.some(3)
    new = stage.start_new(unheard_by=remover)
    if new is None or not await stage.serves(new):
        return False
    await asyncio.gather(*(stage.work.read_inside(new, key) for key in stage.plan.keys))
    stage.slow((remover.name, new.name), 0.02, 0.4)
    reached = new.name not in remover.participant.peers.others()
    if new.name in await stage.remove_in_a_storm(remover, others) and reached:
        stage.rules.broke("a removal named a node that it had reached", "", new.name)
    stage.let_hear(remover)
    return reached


async def joins_late(stage: Stage) -> bool:
    """A node joins, and takes entries over, while a removal is between its rounds."""
    remover, *others = stage.some(3)
    way = (remover.name, others[0].name)
    if stage.rng.random() < 0.8:
        stage.network.cut(*way)
    else:
        stage.slow(way, 0.1, 0.7)
    removing = asyncio.create_task(stage.remove_in_a_storm(remover, others[1:]))
    await asyncio.sleep(stage.rng.uniform(0, ROUND_SHARE * DEFAULT_SECONDS))
    new = stage.start_new(unheard_by=remover)
    if new is None:
        await removing
        return False
    await stage.serves(new)
    reached = not removing.done() and new.name not in remover.participant.peers.others()
    for key in stage.plan.keys:
        await stage.work.read_inside(new, key)
    await removing
    await stage.check()
    stage.let_hear(remover)
    return reached


async def remover_dies(stage: Stage) -> bool:
    """The node that leads a removal dies after its first words; another one removes again."""
    remover, other = stage.two()
    for key in stage.plan.keys:
        stage.source.write(key)
    removing = [
        asyncio.create_task(stage.work.remove_inside(remover, key, 5)) for key in stage.plan.keys
    ]
    await stage.moment(4 * stage.plan.weather.delay)
    reached = not all(task.done() for task in removing)
    stage.cluster.kill(remover, silent=stage.rng.random() < 0.3)
    storm = asyncio.create_task(stage.work.storm(stage.plan.keys[0]))
    for key in stage.plan.keys:
        await stage.work.remove_inside(other, key, 5)
    await asyncio.gather(storm, *removing)
    await stage.check()
    stage.cluster.start(remover.member)
    return reached


async def freezes(stage: Stage) -> bool:
    """A node freezes before it is told, for less or longer than a removal waits."""
    remover, other = stage.two()
    other.process.freeze()
    stage.cluster.fault()
    stage.cluster.parts.history.note(other.name, "freezes")
    removing = asyncio.create_task(stage.remove_all(remover, timeout=60))
    await stage.moment(4.0)
    stage.cluster.fault()
    other.process.thaw()
    return other.name in await removing


async def _tell_soon(stage: Stage, name: str) -> None:
    """Have nodes probe `name`, and tell it what it missed, while it hands its entries over."""
    for _ in range(6):
        await stage.moment(4 * stage.plan.weather.delay)
        for node in stage.cluster.serving():
            node.process.context.run(node.participant.peers.suspect, name)
