"""Hits of a trace in the engine, next to the most there could be. Prints nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import mean

from bounds import best_of_equal_weights, bound_of_weights
from traces import Trace

from cache_core.memory.cache import Cache
from cache_core.memory.eviction import POLICIES

CAP = 10
"""The default entry cap: a value may be as large as the capacity divided by this."""

HASHED = {"s3fifo"}
"""Policies that hash keys, so that their hits differ a little from process to process."""

RUNS = 5
"""How many replays, each with keys of other hashes, the figures of a hashed policy are from."""

_KEY = "{salt:04x}{number:08x}"


@dataclass(frozen=True, slots=True)
class Row:
    """Hit ratios of a trace at one size: the best possible, and each policy's runs.

    `share` is the capacity as a part of what all keys weigh. Cold misses are counted.
    """

    share: float
    capacity: int
    best: float
    runs: dict[str, list[float]]

    def ratio(self, policy: str) -> float:
        """Return the policy's mean hit ratio."""
        return mean(self.runs[policy])


class Workload:
    """A trace as the engine's entries, each charged for its value, its key and itself.

    A sized key's value has its size, any other is empty: unsized keys all weigh the same. Keys
    are 12 bytes each. Values of one size are one object. Where `capped`, the engine's default
    entry cap holds; it does nothing to unsized traces.
    """

    def __init__(self, trace: Trace, *, capped: bool = True) -> None:
        self.trace = trace
        self.capped = capped
        sizes = trace.sizes or [0] * trace.keys
        by_size = {size: bytes(size) for size in set(sizes)}
        self._values = [by_size[size] for size in sizes]
        overhead = _charge_of_an_empty_value()
        self._weights = [size + overhead for size in sizes]

    @property
    def title(self) -> str:
        """The trace's name and, where it has sizes, what was done about large values."""
        if self.trace.sizes is None:
            return self.trace.name
        return f"{self.trace.name}, {'capped' if self.capped else 'uncapped'}"

    def capacity(self, share: float) -> int:
        """Return the bytes that hold the given share of all keys' weights.

        Unsized keys: a whole number of them, one at least.
        """
        if self.trace.sizes is None:
            return self._entries(share) * self._weights[0]
        return max(1, int(sum(self._weights) * share))

    def row(
        self, share: float, policies: Sequence[str], done: Callable[[], None] = lambda: None
    ) -> Row:
        """Replay the trace at the given size; `done` is called after each of `steps` replays."""
        requests = self.trace.requests
        capacity = self.capacity(share)
        if self.trace.sizes is None:
            best = best_of_equal_weights(requests, self._entries(share))
        else:
            best = bound_of_weights(requests, self._weights, capacity)
        runs: dict[str, list[float]] = {}
        for policy in policies:
            runs[policy] = []
            for salt in range(RUNS if policy in HASHED else 1):
                runs[policy].append(self.hits(policy, capacity, salt) / len(requests))
                done()
        return Row(share, capacity, best / len(requests), runs)

    def hits(self, policy: str, capacity: int, salt: int = 0) -> int:
        """Return how many requests the engine answers, storing what it does not hold.

        `salt` makes other keys of the same trace, with other hashes.
        """
        largest = capacity // CAP if self.capped else capacity
        cache = Cache(capacity, POLICIES[policy], max_value=largest)
        keys = [_KEY.format(salt=salt, number=number) for number in range(self.trace.keys)]
        values = self._values
        for number in self.trace.requests:
            key = keys[number]
            if cache.get(key, 0.0) is None:
                cache.set(key, values[number], 0.0, inf, inf)
        return cache.hits

    def _entries(self, share: float) -> int:
        return max(1, int(self.trace.keys * share))


def workloads(traces: Sequence[Trace]) -> list[Workload]:
    """Return what to replay: each trace once, a sized one without the entry cap as well."""
    return [
        Workload(trace, capped=capped)
        for trace in traces
        for capped in ((True,) if trace.sizes is None else (True, False))
    ]


def steps(policies: Sequence[str]) -> int:
    """Return how many replays one row takes."""
    return sum(RUNS if policy in HASHED else 1 for policy in policies)


def _charge_of_an_empty_value() -> int:
    probe = Cache(1 << 20, POLICIES["lru"], max_value=0)
    probe.set(_KEY.format(salt=0, number=0), b"", 0.0, inf, inf)
    return probe.bytes
