"""Nanoseconds an operation, in CPU time, of caches that take turns. Prints nothing."""

import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import thread_time_ns

from contenders import Contender, contender, keys, values

HOT = 2_000
TIMED = ("gaocache", "gaocache, TTL", "cachetools", "cachebox")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: entries in a cache, operations a chunk, and chunks."""

    entries: int
    chunk: int
    chunks: int


def speeds(scale: Scale, done: Callable[[], None]) -> dict[str, dict[str, float]]:
    """Return the median ns of each operation by contender, and call `done` after each operation.

    Caches are full. Keys and values are made before, their hashes computed, and lie in memory in
    another order than in the caches; the collector is off, as in timeit. The loop is included.
    """
    rng = random.Random(7)
    held = keys(0, scale.entries)
    rng.shuffle(held)
    datas = values(scale.entries)
    hot = rng.sample(held, HOT)
    repeated = [hot[number % len(hot)] for number in range(scale.chunk)]
    asked = rng.sample(held, scale.entries)
    made = scale.entries

    def cold(turn: int) -> list[str]:
        start = turn * scale.chunk % scale.entries
        return asked[start : start + scale.chunk]

    def fresh(_turn: int) -> list[str]:
        nonlocal made
        made += scale.chunk
        return keys(made - scale.chunk, scale.chunk)

    def read(cache: Contender, chunk: Sequence[str]) -> None:
        cache.read(chunk)

    def write(cache: Contender, chunk: Sequence[str]) -> None:
        cache.write(chunk, datas[: len(chunk)])

    def full(inside: list[str]) -> dict[str, Contender]:
        caches = {name: contender(name, len(inside), inside[0], datas[0]) for name in TIMED}
        for cache in caches.values():
            cache.write(inside, datas[: len(inside)])
        return caches

    rows: dict[str, dict[str, float]] = {}
    few = full(hot)
    rows[f"get hit, {HOT:,} keys"] = _medians(few, lambda _: repeated, read, scale.chunks)
    done()
    caches = full(held)
    for title, chunk_of in (
        (f"get hit, {HOT:,} of {scale.entries:,} keys", lambda _: repeated),
        (f"get hit, {scale.entries:,} keys", cold),
    ):
        rows[title] = _medians(caches, chunk_of, read, scale.chunks)
        done()
    for cache in caches.values():
        for _ in range(3):
            cache.read(asked)
    rows["set with eviction, all read"] = _medians(caches, fresh, write, scale.chunks)
    done()
    caches = full(held)
    rows["set with eviction"] = _medians(caches, fresh, write, scale.chunks)
    done()
    return rows


def _medians(
    caches: dict[str, Contender],
    chunk_of: Callable[[int], Sequence[str]],
    run: Callable[[Contender, Sequence[str]], None],
    chunks: int,
) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in caches}
    gc.collect()
    gc.disable()
    try:
        for turn in range(chunks + 1):
            chunk = chunk_of(turn)
            for name, cache in caches.items():
                started = thread_time_ns()
                run(cache, chunk)
                taken[name].append((thread_time_ns() - started) / len(chunk))
    finally:
        gc.enable()
    return {name: median(times[1:]) for name, times in taken.items()}
