"""Memory and pauses, each measured in a process of its own. Prints nothing. Linux only."""

import gc
import multiprocessing
import random
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import thread_time_ns
from typing import Final, TypeVar

import cachetools
from contenders import Engine, contender, keys, values

Result = TypeVar("Result")

MIB: Final = 1 << 20
SMALLEST, LARGEST = 100, 64 * 1024
"""Sizes of mixed values in bytes: as many from 100 to 200 as from 32,000 to 64,000."""

STATUS: Final = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Push:
    """What a stream of new values through a full cache came to, as parts of the budget."""

    charged: float
    grown: float


def in_fresh_process(measure: Callable[..., Result], *arguments: object) -> Result:
    """Return what `measure` returns in a new interpreter."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(measure, *arguments).result()


def traced_overhead(name: str, entries: int) -> float:
    """Return the bytes an entry that Python's allocators gave, keys and values apart."""
    held, datas = keys(0, entries), values(entries)
    cache = contender(name, entries, held[0], datas[0])
    tracemalloc.start()
    cache.write(held, datas)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(cache)


def resident_overhead(name: str, entries: int) -> float:
    """Return the bytes an entry by which the process grew, keys and values apart."""
    held, datas = keys(0, entries), values(entries)
    cache = contender(name, entries, held[0], datas[0])
    gc.collect()
    before = _status("VmRSS")
    cache.write(held, datas)
    return (_status("VmRSS") - before) / len(cache)


def collection(name: str, entries: int) -> float:
    """Return the median ms of a full collection with a full cache, the rest frozen."""
    gc.collect()
    gc.freeze()
    cache = contender(name, entries, keys(0, 1)[0], values(1)[0])
    cache.write(keys(0, entries), values(entries))
    gc.collect()
    taken = []
    for _ in range(7):
        started = thread_time_ns()
        gc.collect()
        taken.append((thread_time_ns() - started) / 1e6)
    return median(taken) if len(cache) == entries else 0.0


def longest_set(name: str, entries: int) -> tuple[float, float, float]:
    """Return the ms of CPU time of the longest set while it fills, and when it is full.

    Then that of the longest but one in ten thousand. Before a cache is called full, all entries
    are read, so that S3-FIFO would spare them all.
    """
    held, datas = keys(0, entries), values(entries)
    cache = contender(name, entries, held[0], datas[0])
    gc.disable()
    filling = max(_set_times(cache.write, held, datas))
    for _ in range(3):
        cache.read(held)
    full = sorted(_set_times(cache.write, keys(entries, 2 * entries), datas + datas))
    return filling, full[-1], full[-1 - len(full) // 10_000]


def _set_times(
    write: Callable[[list[str], list[bytes]], None], held: list[str], datas: list[bytes]
) -> Iterator[float]:
    for key, value in zip(held, datas, strict=True):
        started = thread_time_ns()
        write([key], [value])
        yield (thread_time_ns() - started) / 1e6


def push(name: str, budget: int, total: int, size: int | None) -> Push:
    """Push values of `size` bytes, or mixed where None, of `total` bytes through a cache.

    `gaocache` charges an entry whole; `cachetools` is told to charge the value's length.
    """
    rng = random.Random(7)
    block = rng.randbytes(2 * LARGEST)
    engine = Engine(budget)
    library: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(budget, getsizeof=len)
    gc.collect()
    before = _status("VmRSS")
    charged = pushed = number = 0
    while pushed < total:
        length = size or int(SMALLEST * (LARGEST / SMALLEST) ** rng.random())
        start = rng.randrange(LARGEST)
        value = block[start : start + length]
        key = f"{number:032x}"
        if name == "gaocache":
            engine.write([key], [value])
            charged = max(charged, engine.cache.bytes)
        else:
            library[key] = value
            charged = max(charged, int(library.currsize))
        pushed += length
        number += 1
    return Push(charged / budget, (_status("VmHWM") - before) / budget)


def _status(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        name, _, amount = line.partition(":")
        if name == field:
            return int(amount.split()[0]) * 1024
    raise LookupError(field)
