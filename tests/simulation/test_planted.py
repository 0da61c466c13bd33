"""Mistakes that are put into the code on purpose: each breaks the rule that forbids it."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import pytest
from fault import Misplaced, all_faults
from simulation.plan import Climate, Plan
from simulation.run import run
from swapped import swapped

SEEDS: Final = range(50_000, 52_000)
"""Within which each mistake must be found."""

FEW: Final = range(50_000, 50_100)
"""Within which ten of them at once must be found."""


class Found(NamedTuple):
    """The rule that a mistake breaks, and which runs could show it."""

    rule: str
    shows: Callable[[Plan], bool]


def anywhere(_plan: Plan) -> bool:
    """Take every run."""
    return True


def where(situation: str) -> Callable[[Plan], bool]:
    """Take the runs in which `situation` is played."""
    return lambda plan: situation in plan.situations


def expires(plan: Plan) -> bool:
    """Take the runs in which entries expire."""
    return plan.settings.ttl is not None


REMOVED: Final = "a removed value was read"
EXPIRED: Final = "a value was read past its TTL"

LISTED: Final = where("a node is on another's list alone")
LEAVES: Final = where("a node that missed a removal leaves")
TIER_AWAY: Final = where("the tier is away during a removal")
SILENT: Final = where("a removal while a node is left out")
GOODBYE: Final = where("a node that said goodbye comes back")

FOUND: Final = {
    "together-first-round-misses-nodes-named-by-others": Found(
        "a removal named a node that it had reached", LISTED
    ),
    "together-met-in-the-last-round-is-not-named": Found(
        REMOVED, where("a node joins while a removal runs")
    ),
    "together-nodes-that-others-know-are-not-met": Found(REMOVED, LISTED),
    "together-remover-keeps-what-it-read-while-the-tier-was-away": Found(REMOVED, TIER_AWAY),
    "together-others-keep-what-they-read-while-the-tier-was-away": Found(
        "what the tier had outlived a removal", TIER_AWAY
    ),
    "together-left-out-nodes-are-waited-for": Found("a removal waited for a node left out", SILENT),
    "together-removal-takes-as-long-as-its-caller-allows": Found(
        "a node removed for too long", where("a node freezes during a removal")
    ),
    "together-takes-from-a-node-that-it-owes-a-removal": Found(REMOVED, LEAVES),
    "together-takes-from-a-node-that-others-owe-a-removal": Found(
        REMOVED, where("a node joins beside one that missed a removal")
    ),
    "together-takes-from-a-node-that-is-told-meanwhile": Found(REMOVED, LEAVES),
    "together-takes-from-nodes-that-do-not-serve": Found(
        "a node took too long to serve", where("a node starts beside a silent one")
    ),
    "together-told-to-flush-after-a-goodbye": Found(
        "a node was told to remove everything for nothing", GOODBYE
    ),
    "together-goodbye-is-remembered-as-long-as-silence": Found(
        "a removal waited for a node that had left", GOODBYE
    ),
    "together-gone-nodes-are-told-of-for-ever": Found(
        "a removal waited for a node that had left", GOODBYE
    ),
    "together-own-pause-is-blamed-on-others": Found(
        "a node blamed others for its own pause", where("a node is held up")
    ),
    "together-goodbye-outlives-a-restart": Found(
        REMOVED, where("a node that came back is cut off for long")
    ),
    "together-asks-go-on-waiting-for-a-silent-node": Found(
        "a get waited for a silent node", SILENT
    ),
    "together-missed-removals-are-never-told": Found(
        "a node was never told of a removal", lambda plan: plan.heals and not expires(plan)
    ),
    "together-copies-outlive-their-owners-value": Found(
        EXPIRED, lambda plan: expires(plan) and plan.settings.hot_ttl > 0
    ),
    "together-stale-is-answered-as-fresh": Found(
        EXPIRED, lambda plan: expires(plan) and plan.settings.stale_while_revalidate > 0
    ),
    "together-handover-begins-the-ttl-anew": Found(
        EXPIRED, lambda plan: expires(plan) and plan.climate is Climate.ONE_DOWN
    ),
    "together-tier-begins-the-ttl-anew": Found(
        EXPIRED, lambda plan: expires(plan) and plan.has_tier
    ),
    "together-removed-keys-fence-no-flight": Found(REMOVED, anywhere),
    "together-removes-in-one-round": Found(REMOVED, anywhere),
    "together-nobody-is-named-as-unreached": Found(REMOVED, anywhere),
    "together-forwards-what-was-forwarded": Found(
        "a forwarded request was forwarded again", anywhere
    ),
    "together-loads-what-others-own": Found("a key was loaded beside its owner", anywhere),
    "together-copies-share-is-spent-twice": Found(
        "more bytes were held than the budget", lambda plan: plan.settings.capacity < 100_000
    ),
    "together-acknowledges-before-it-drops": Found(
        "a removed copy was read", lambda plan: plan.near_cache > 0
    ),
    "loading-flights-behind-twice": Found(
        "a key was loaded twice at a time",
        lambda plan: plan.has_tier and plan.settings.ttl == 1.0 and not plan.faults,
    ),
    "near-old-answer-after-removal": Found(
        "a removed copy was read", lambda plan: plan.near_cache > 0
    ),
    "handover-key-removal-does-not-count": Found(REMOVED, anywhere),
    "hot-ends-with-its-owners-value-alone": Found("a copy was answered after its time", anywhere),
}
"""Each mistake that the simulation has to find, those of the room `together` and some of others."""

TEN: Final = (
    "together-first-round-misses-nodes-named-by-others",
    "together-met-in-the-last-round-is-not-named",
    "together-nodes-that-others-know-are-not-met",
    "together-remover-keeps-what-it-read-while-the-tier-was-away",
    "together-left-out-nodes-are-waited-for",
    "together-removal-takes-as-long-as-its-caller-allows",
    "together-takes-from-a-node-that-it-owes-a-removal",
    "together-goodbye-is-remembered-as-long-as-silence",
    "together-own-pause-is-blamed-on-others",
    "together-goodbye-outlives-a-restart",
)

RARE: Final = (
    "together-met-in-the-last-round-is-not-named",
    "together-remover-keeps-what-it-read-while-the-tier-was-away",
    "together-others-keep-what-they-read-while-the-tier-was-away",
    "together-told-to-flush-after-a-goodbye",
    "together-gone-nodes-are-told-of-for-ever",
    "together-copies-outlive-their-owners-value",
    "together-tier-begins-the-ttl-anew",
    "loading-flights-behind-twice",
    "near-old-answer-after-removal",
    "handover-key-removal-does-not-count",
)
"""Found after many seeds."""

FAULTS: Final = {fault.name: fault for fault in all_faults()}


def test_each_mistake_of_the_room_is_looked_for() -> None:
    room = {name for name, fault in FAULTS.items() if fault.room == "together"}
    assert room - set(FOUND) == set()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "mistake",
    [pytest.param(name, marks=pytest.mark.slow if name in RARE else ()) for name in FOUND],
)
def test_a_mistake_breaks_its_rule(mistake: str) -> None:
    rule, shows = FOUND[mistake]
    seed = _first_seed([mistake], [rule], _seeds(shows))
    assert run(seed).error is None, seed


def test_ten_mistakes_at_once_break_one_of_their_rules_soon() -> None:
    rules = [FOUND[mistake].rule for mistake in TEN]
    seed = _first_seed(TEN, rules, FEW)
    assert run(seed).error is None, seed


def _first_seed(mistakes: Sequence[str], rules: Sequence[str], seeds: Iterable[int]) -> int:
    """Return the first seed that breaks one of `rules` with `mistakes` in the code.

    A mistake that does not fit, such as one that stands in the code already, is passed over: a
    test of the planted faults tells of those.
    """
    tried = 0
    try:
        with swapped(*(FAULTS[mistake] for mistake in mistakes)):
            for seed in seeds:
                tried += 1
                if str(run(seed).error).startswith(tuple(rules)):
                    return seed
    except Misplaced as misfit:
        pytest.skip(str(misfit))
    pytest.fail(f"not found in {tried} runs: {', '.join(mistakes)}")


def _seeds(shows: Callable[[Plan], bool]) -> Iterator[int]:
    """Yield the seeds whose plan could show what is looked for."""
    for seed in SEEDS:
        if shows(Plan.of(random.Random(f"{seed}:plan"))):
            yield seed
