"""The keys that are asked for, and in which order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

GROUP: Final = "values"
SIZES: Final = {100: "100 B", 10 * 1024: "10 KiB", 1024 * 1024: "1 MiB"}
"""The sizes of values in bytes, and their names."""

COUNTS: Final = {100: 10_000, 10 * 1024: 10_000, 1024 * 1024: 100}
"""How many keys of each size are asked for; of 1 MiB fewer, for 10,000 are 10 GiB."""

REQUESTS: Final = 50_000
"""The length of a list of requests, which is asked for over and again."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is asked for at once: over how many connections, values how large, one key or many."""

    connections: int
    size: int
    zipf: bool

    def __str__(self) -> str:
        keys = f"{COUNTS[self.size]:,} keys by Zipf" if self.zipf else "one key"
        plural = "s" if self.connections > 1 else ""
        return f"{SIZES[self.size]}, {keys}, {self.connections} connection{plural}"


def keys(size: int) -> list[str]:
    """Return the keys whose values have `size` bytes; the first is the hot one."""
    return [f"{size}/{number}" for number in range(COUNTS[size])]


def target(key: str, group: str = GROUP) -> str:
    """Return the path of `key` at every server that is measured."""
    return f"/groups/{group}/keys/{key}"


def by_zipf(ranked: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """Return so many of `ranked`, the one of rank n drawn with a weight of 1/n."""
    weights = list(accumulate(1 / rank for rank in range(1, len(ranked) + 1)))
    return rng.choices(ranked, cum_weights=weights, k=count)


def write_targets(asked: Sequence[str], file: Path) -> Path:
    """Write the paths of the keys to `file`, one a line, and return it."""
    file.write_text("".join(f"{target(key)}\n" for key in asked))
    return file
