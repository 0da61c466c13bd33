"""Nodes that are silent, held up, gone or back, and what that may cost.

Each returns whether it really came about.
"""

import asyncio

from simulation.network import HELD_UP
from simulation.situations.stage import Stage

from cache_core.cluster.health import LONGEST_PAUSE, PROBE_SECONDS
from cache_core.cluster.peers import GOODBYE_SECONDS
from cache_core.errors import DeadlineExceeded
from cache_core.messages import Health

LEAVES_OUT = 4.0
"""Seconds within which a silent node is left out."""

SERVES = 4.0
"""Seconds within which a node serves, one silent member or not."""

NOTICED = 0.3
"""Seconds in which a node that was held up notices that all others are there."""

GOODBYE = GOODBYE_SECONDS + 1.5 * LONGEST_PAUSE + PROBE_SECONDS
"""Seconds after which a node that said goodbye, and is gone, is forgotten."""


async def left_out(stage: Stage) -> bool:
    """A removal does not wait for a node that is known to be gone."""
    remover, other = stage.two()
    stage.cluster.kill(other, silent=True)
    peers = remover.participant.peers
    reads = [asyncio.create_task(stage.work.read_inside(remover, key)) for key in stage.plan.keys]
    await stage.until(lambda: peers.health(other.name) is Health.LEFT_OUT, LEAVES_OUT)
    for outcome in await asyncio.gather(*reads):
        if isinstance(outcome, DeadlineExceeded):
            stage.rules.broke("a get waited for a silent node", "", outcome)
    if not stage.all_reach(remover):
        return False
    loop = asyncio.get_running_loop()
    began = loop.time()
    unreached = await stage.remove_all(remover, timeout=5)
    took = loop.time() - began
    may_take = 0.5 + 20 * stage.plan.weather.delay
    if took > may_take and stage.all_reach(remover) and stage.tier_is_well():
        stage.rules.broke("a removal waited for a node left out", "", took, unreached)
    stage.cluster.start(other.member)
    return True


async def starts_beside_silent(stage: Stage) -> bool:
    """A node that starts waits for a silent member, but not for its entries as well."""
    _, other = stage.two()
    stage.cluster.kill(other, silent=True)
    loop = asyncio.get_running_loop()
    began = loop.time()
    new = stage.start_new()
    if new is None or not await stage.serves(new):
        return False
    if loop.time() - began > SERVES + 10 * stage.plan.telling:
        stage.rules.broke("a node took too long to serve", "", loop.time() - began)
    stage.cluster.start(other.member)
    return True


async def is_held_up(stage: Stage) -> bool:
    """A node that stood still for seconds does not blame the others for their silence."""
    await asyncio.sleep(stage.rng.uniform(0, 1))
    node, _ = stage.two()
    peers, before = node.participant.peers, len(node.left_out)
    counts = stage.cluster.parts.history.counts
    held_up = counts.get(HELD_UP, 0)
    if not stage.all_reach(node):
        return False
    stage.cluster.fault()
    stage.cluster.parts.history.note(node.name, "freezes")
    for other in peers.others():
        peers.suspect(other)  # so that its probes are under way
    await asyncio.sleep(stage.plan.weather.delay * stage.rng.uniform(0, 0.4))
    node.process.freeze()
    await asyncio.sleep(stage.rng.uniform(3.2, 4.5))
    stage.cluster.fault()
    node.process.thaw(timers_first=stage.rng.random() < 0.7)
    await asyncio.sleep(NOTICED)
    if len(node.left_out) > before:
        stage.rules.broke("a node blamed others for its own pause", "", node.name)
    return counts.get(HELD_UP, 0) > held_up


async def said_goodbye(stage: Stage) -> bool:
    """A node leaves as it should and is forgotten, owed nothing; then it comes back."""
    remover, other = stage.two()
    stage.cluster.stop(other)
    if not await stage.until(lambda: other.name not in stage.cluster.nodes, 10):
        return False
    await asyncio.sleep(GOODBYE)
    unreached = await stage.remove_all(remover)
    if other.name in unreached:
        stage.rules.broke("a removal waited for a node that had left", "", unreached)
    return await stage.serves(stage.start(other.member))


async def cut_off_for_long(stage: Stage) -> bool:
    """A node that has left and come back loses its membership, but lives, apart from all."""
    remover, other = stage.two()
    stage.cluster.stop(other)
    if not await stage.until(lambda: other.name not in stage.cluster.nodes, 10):
        return False
    other = stage.start(other.member)
    if not await stage.serves(other):
        return False
    await asyncio.sleep(2)
    await stage.warm()
    names = [name for name in stage.cluster.nodes if name != other.name]
    names += [client.name for client in stage.cluster.clients]
    stage.refuse(*((other.name, name) for name in names))
    stage.refuse(*((name, other.name) for name in names))
    stage.cluster.parts.registry.remove(other.member)
    await asyncio.sleep(GOODBYE)
    await stage.remove_all(remover)
    stage.heal()
    stage.cluster.parts.registry.add(other.member)
    await asyncio.sleep(stage.rng.uniform(0, 2))
    return True
