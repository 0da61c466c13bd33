"""Faults as data: a place in the code, what stands there, what is planted, what a user suffers.

Each file `faults/ROOM.toml` has the faults of one room.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

FOLDER: Final = Path(__file__).parent / "faults"

SAMPLED: Final = 24
"""Of so many faults, one is in the sample."""


class Misplaced(Exception):
    """A fault does not fit the code: its text is not there, or is there more than once."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One change of one file that a test should notice.

    `file` is a path below the project's root, `before` a text that the file has exactly once,
    `after` what is put in its place, and `harm` what a user would suffer. `unnoticed` says why no
    test notices it yet; it is empty for all but a few.
    """

    name: str
    room: str
    file: str
    before: str
    after: str
    harm: str
    unnoticed: str = ""

    @property
    def is_sampled(self) -> bool:
        """Whether it belongs to the sample, which depends on its name alone."""
        return crc32(self.name.encode()) % SAMPLED == 0

    def planted_in(self, text: str) -> str:
        """Return the file's `text` with the fault in it. Raises Misplaced."""
        count = text.count(self.before)
        if count != 1:
            raise Misplaced(f"{self.name}: {self.file} has its text {count} times, not once")
        return text.replace(self.before, self.after)

    def lines_in(self, text: str) -> range:
        """Return the numbers of the lines of `text` that the fault changes. Raises Misplaced."""
        self.planted_in(text)
        first = text.count("\n", 0, text.index(self.before)) + 1
        return range(first, first + self.before.rstrip("\n").count("\n") + 1)


def all_faults(folder: Path = FOLDER) -> list[Fault]:
    """Return the faults of every room, in the order of the files. Raises ValueError."""
    faults = [fault for file in sorted(folder.glob("*.toml")) for fault in _read(file)]
    counts = Counter(fault.name for fault in faults)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"two faults have one name: {', '.join(twice)}")
    return faults


def chosen(faults: Sequence[Fault], rooms: Iterable[str], names: Iterable[str]) -> list[Fault]:
    """Return the faults of these rooms and of these names, all where neither is given.

    Raises ValueError where a room or a name is not known.
    """
    wanted_rooms, wanted_names = set(rooms), set(names)
    known_rooms = {fault.room for fault in faults}
    known_names = {fault.name for fault in faults}
    if unknown := sorted(wanted_rooms - known_rooms):
        raise ValueError(f"no room {unknown[0]!r}; rooms are {', '.join(sorted(known_rooms))}")
    if unknown := sorted(wanted_names - known_names):
        raise ValueError(f"no fault {unknown[0]!r}; --list shows all of them")
    if not wanted_rooms and not wanted_names:
        return list(faults)
    return [fault for fault in faults if fault.room in wanted_rooms or fault.name in wanted_names]


def _read(file: Path) -> list[Fault]:
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return [Fault(room=file.stem, **table) for table in document["faults"]]
