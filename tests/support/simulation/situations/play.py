"""Two faults at once, each played as chance has it in a cluster that is well before and after.

A situation's name, as in plan.SITUATIONS, is noted once it has really come about. After it every
key is read at every node and client.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from simulation.situations import loading, membership, removal
from simulation.situations.stage import Stage

FEWEST: Final = 3
"""How many nodes a situation needs; what came before may have taken some away for good."""

PLAYS: Final[Mapping[str, Callable[[Stage], Awaitable[bool]]]] = {
    "a node that missed a removal leaves": removal.missed_and_leaves,
    "a node joins beside one that missed a removal": removal.missed_and_joined,
    "a node is on another's list alone": removal.on_another_list,
    "a node joins while a removal runs": removal.joins_late,
    "the remover dies": removal.remover_dies,
    "a node freezes during a removal": removal.freezes,
    "a removal while a node is left out": membership.left_out,
    "a node starts beside a silent one": membership.starts_beside_silent,
    "a node is held up": membership.is_held_up,
    "a flush beside a refresh": loading.flush_beside_refresh,
    "a node reloads during a removal": loading.reloads,
    "the tier is away during a removal": loading.tier_is_away,
    "a node that said goodbye comes back": membership.said_goodbye,
    "a node that came back is cut off for long": membership.cut_off_for_long,
}


async def play(stage: Stage) -> None:
    """Play the plan's situations, one after another."""
    for name in stage.plan.situations:
        await stage.warm()
        if len(stage.cluster.serving()) < FEWEST:
            return
        if await PLAYS[name](stage):
            stage.cluster.parts.history.note("situations", name)
        await stage.check()
        stage.heal()
        await stage.moment(2)
        await stage.check()
