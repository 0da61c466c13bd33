"""Runs of a simulated cluster, by seed. One that fails says how to see it again."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from simulation.run import run

SEEDS = range(120)
BLOCK = 10
SAMPLE = 4
"""How many blocks of SEEDS are tried wherever tests run; the rest takes seconds."""
MANY = range(10_000, 14_000)
MANY_BLOCK = 250

SUPPORT = Path(__file__).parents[1] / "support"

COVERED = (
    "answers a copy of",
    "answers a near copy of",
    "connection reset",
    "crashes",
    "drains",
    "freezes",
    "hands over",
    "has back",
    "has been told what it missed",
    "is cut",
    "leaves out",
    "load by who took over",
    "load while steady",
    "message cut off",
    "message lost",
    "removal during a load",
    "turns bad",
    "unreached named",
    "DeadlineExceeded raised",
    "NotFound raised",
    "Overloaded raised",
    "PeerUnavailable raised",
    "RetrieverFailed raised",
    "SourceUnavailable raised",
)
"""What a block of seeds must have met, each at least once, to be worth its time."""


@pytest.mark.parametrize(
    "first",
    [
        *SEEDS[::BLOCK][:SAMPLE],
        *(pytest.param(first, marks=pytest.mark.slow) for first in SEEDS[::BLOCK][SAMPLE:]),
    ],
)
def test_every_rule_holds_whatever_happens(first: int) -> None:
    for seed in range(first, first + BLOCK):
        check(seed)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", MANY[::MANY_BLOCK])
def test_every_rule_holds_in_thousands_of_runs(first: int) -> None:
    for seed in range(first, first + MANY_BLOCK):
        check(seed)


@pytest.mark.slow
def test_what_may_go_wrong_goes_wrong() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS[:60]:
        counts.update(run(seed).history.counts)
    assert [what for what in COVERED if not counts[what]] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [8, 13203, 13205, 13223])
def test_a_seed_is_the_same_run_in_every_process(seed: int) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-m", "simulation.replay", str(seed), "none"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SUPPORT)},
            capture_output=True,
            text=True,
            check=False,
        ).stdout.splitlines()[-1]
        for hash_seed in ("1", "2", "3")
    }
    assert len(digests) == 1
    assert digests.pop().startswith("digest ")


def check(seed: int) -> None:
    """Fail with what led to it, if the run of `seed` broke a rule."""
    ended = run(seed)
    if ended.error is not None:
        again = f"PYTHONPATH=tests/support python -m simulation.replay {seed}"
        pytest.fail(f"seed {seed}: {again}\n{ended.plan}\n{ended.error}", pytrace=False)
