import random
from collections import OrderedDict
from pathlib import Path

import pytest
from replay import RUNS, Workload, workloads
from traces import Trace, read_trace

from cache_core.memory.eviction import POLICIES

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[4].parent / "shared" / "traces"
TRACES = sorted(SHARED.glob("*.gz"))
SHARES = (0.01, 0.05, 0.1)


def skewed(*, sized: bool = False) -> Trace:
    """A trace of few popular keys and many others, as caches meet them."""
    rng = random.Random(7)
    numbers: dict[int, int] = {}
    drawn = (int(rng.paretovariate(0.7)) % 5_000 for _ in range(30_000))
    requests = [numbers.setdefault(key, len(numbers)) for key in drawn]
    sizes = [int(rng.lognormvariate(8, 2)) for _ in numbers] if sized else None
    return Trace("skewed", requests, len(numbers), sizes)


def lru_hits(requests: list[int], entries: int) -> int:
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for key in requests:
        if key in held:
            hits += 1
            held.move_to_end(key)
            continue
        if len(held) == entries:
            held.popitem(last=False)
        held[key] = None
    return hits


@pytest.mark.parametrize("share", SHARES)
def test_lru_hits_exactly_what_an_ordered_dict_hits(share: float) -> None:
    trace = skewed()
    entries = int(trace.keys * share)
    workload = Workload(trace)
    assert workload.hits("lru", workload.capacity(share)) == lru_hits(trace.requests, entries)


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("share", SHARES)
def test_nothing_hits_more_often_than_the_best_possible(share: float, *, sized: bool) -> None:
    for workload in workloads([skewed(sized=sized)]):
        row = workload.row(share, list(POLICIES))
        assert len(row.runs["s3fifo"]) == RUNS
        assert 0 < max(max(runs) for runs in row.runs.values()) <= row.best < 1


@pytest.mark.parametrize("sized", [False, True])
def test_a_cache_of_everything_misses_each_key_once(*, sized: bool) -> None:
    trace = skewed(sized=sized)
    row = Workload(trace, capped=False).row(1.0, list(POLICIES))
    once = 1 - trace.keys / len(trace.requests)
    assert row.best == once
    assert {ratio for runs in row.runs.values() for ratio in runs} == {once}


if TRACES:  # defined only where the traces are, for a skip would fail

    @pytest.mark.parametrize("file", TRACES, ids=lambda file: file.name)
    def test_s3fifo_is_never_half_a_point_below_lru_on_a_public_trace(file: Path) -> None:
        for workload in workloads([read_trace(file)]):
            for share in SHARES:
                row = workload.row(share, ["s3fifo", "lru"])
                assert row.ratio("s3fifo") >= row.ratio("lru") - 0.005, (workload.title, share)
