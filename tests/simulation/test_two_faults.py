"""Two faults at once: each situation comes about, and each mistake that shows in one is found."""

import random
from collections.abc import Iterator

import pytest
from fault import all_faults
from simulation.plan import SITUATIONS, Plan
from simulation.run import run
from swapped import swapped

SEEDS = range(50_000, 52_000)
"""Within which each mistake must be found."""

FEW = range(50_000, 50_100)
"""Within which ten of them at once must be found."""

FOUND_IN = {
    "first-round-misses-nodes-named-by-others": "a node is on another's list alone",
    "met-in-the-last-round-is-not-named": "a node joins while a removal runs",
    "nodes-that-others-know-are-not-met": "a node is on another's list alone",
    "remover-keeps-what-it-read-while-the-tier-was-away": "the tier is away during a removal",
    "others-keep-what-they-read-while-the-tier-was-away": "the tier is away during a removal",
    "left-out-nodes-are-waited-for": "a removal while a node is left out",
    "removal-takes-as-long-as-its-caller-allows": "a node freezes during a removal",
    "takes-from-a-node-that-it-owes-a-removal": "a node that missed a removal leaves",
    "takes-from-a-node-that-others-owe-a-removal": "a node joins beside one that missed a removal",
    "takes-from-a-node-that-is-told-meanwhile": "a node that missed a removal leaves",
    "takes-from-nodes-that-do-not-serve": "a node starts beside a silent one",
    "told-to-flush-after-a-goodbye": "a node that said goodbye comes back",
    "goodbye-is-remembered-as-long-as-silence": "a node that said goodbye comes back",
    "gone-nodes-are-told-of-for-ever": "a node that said goodbye comes back",
    "own-pause-is-blamed-on-others": "a node is held up",
    "goodbye-outlives-a-restart": "a node that came back is cut off for long",
    "asks-go-on-waiting-for-a-silent-node": "a removal while a node is left out",
}
"""Each mistake of the room `together`, and the situation that shows it."""

TEN = (
    "first-round-misses-nodes-named-by-others",
    "met-in-the-last-round-is-not-named",
    "nodes-that-others-know-are-not-met",
    "remover-keeps-what-it-read-while-the-tier-was-away",
    "left-out-nodes-are-waited-for",
    "removal-takes-as-long-as-its-caller-allows",
    "takes-from-a-node-that-it-owes-a-removal",
    "goodbye-is-remembered-as-long-as-silence",
    "own-pause-is-blamed-on-others",
    "goodbye-outlives-a-restart",
)

RARE = (
    "met-in-the-last-round-is-not-named",
    "others-keep-what-they-read-while-the-tier-was-away",
    "told-to-flush-after-a-goodbye",
    "gone-nodes-are-told-of-for-ever",
)
"""Found after many seeds."""

FAULTS = {
    fault.name.removeprefix("together-"): fault
    for fault in all_faults()
    if fault.room == "together"
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_comes_about(situation: str) -> None:
    for seed in _seeds_with(situation):
        ended = run(seed)
        assert ended.error is None, seed
        if ended.history.counts.get(situation):
            return
    pytest.fail(f"never: {situation}")


def test_each_mistake_has_its_situation() -> None:
    assert sorted(FOUND_IN) == sorted(FAULTS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "mistake",
    [pytest.param(name, marks=pytest.mark.slow if name in RARE else ()) for name in FOUND_IN],
)
def test_a_mistake_is_found_where_two_things_go_wrong(mistake: str) -> None:
    with swapped(FAULTS[mistake]):
        assert any(run(seed).error is not None for seed in _seeds_with(FOUND_IN[mistake]))


def test_ten_mistakes_at_once_are_found_soon() -> None:
    with swapped(*(FAULTS[mistake] for mistake in TEN)):
        assert any(run(seed).error is not None for seed in FEW)


def _seeds_with(situation: str) -> Iterator[int]:
    """Yield the seeds whose plan has `situation`: the others could not show what is looked for."""
    for seed in SEEDS:
        if situation in Plan.of(random.Random(f"{seed}:plan")).situations:
            yield seed
