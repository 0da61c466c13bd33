"""Stacks of gateway and node that differ in how many keys or groups they hold."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from keyset import GROUP, REQUESTS, target
from sampling import Sample, sample
from stage import Server, Stage
from warming import warm_node
from wrk import run_wrk

CONNECTIONS: Final = 64
SIZE: Final = 100
GROUP_KEYS: Final = 1_000
"""How many keys all groups have together, however many those are."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A gateway and a node of its own that hold everything in the list of requests."""

    server: Server
    asked: Path

    def sample(self, seconds: int) -> Sample:
        """Ask for what is in the list, at full speed."""
        url = f"http://127.0.0.1:{self.server.port}/"
        run = partial(run_wrk, url, connections=CONNECTIONS, seconds=seconds, paths=self.asked)
        return sample(self.server.parts, run)


def of_keys(stage: Stage, count: int, folder: Path, rng: random.Random) -> Stack:
    """Return a path whose node holds `count` keys, each asked for as often as any other."""
    node = stage.new_node("native")
    names = [f"{SIZE}/{number}" for number in range(count)]
    warm_node(node.port, names, at_a_time=1_000)
    asked = [target(name) for name in rng.choices(names, k=REQUESTS)]
    return Stack(stage.gateway([node]), _write(asked, folder / f"keys-{count}.txt"))


def of_groups(stage: Stage, count: int, folder: Path, rng: random.Random) -> Stack:
    """Return a path whose node has `count` groups, which share the keys out."""
    groups = [f"{GROUP}-{number}" for number in range(count)]
    node = stage.new_node("native", groups=groups)
    names = [f"{SIZE}/{number}" for number in range(GROUP_KEYS // count)]
    for group in groups:
        warm_node(node.port, names, group=group, at_a_time=1_000)
    pairs = [target(name, group) for group in groups for name in names]
    asked = rng.choices(pairs, k=REQUESTS)
    return Stack(stage.gateway([node]), _write(asked, folder / f"groups-{count}.txt"))


def _write(targets: Sequence[str], file: Path) -> Path:
    file.write_text("".join(f"{path}\n" for path in targets))
    return file
