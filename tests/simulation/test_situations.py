"""Two faults at once: each situation really comes about."""

import random

import pytest
from simulation.plan import SITUATIONS, Plan
from simulation.run import run

SEEDS = range(50_000, 52_000)
"""Within which each situation must come about."""


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_comes_about(situation: str) -> None:
    for seed in SEEDS:
        if situation not in Plan.of(random.Random(f"{seed}:plan")).situations:
            continue
        ended = run(seed)
        assert ended.error is None, seed
        if ended.history.counts.get(situation):
            return
    pytest.fail(f"never: {situation}")
