"""What happened in a run, in order, to be read by people and compared between processes."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

LAST: Final = 60
"""How many lines of what led to it a broken rule is shown with."""


class History:
    """Lines with their time and who did it; `counts` says how often each kind of thing was."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.counts: dict[str, int] = {}
        self._clock = clock
        self._lines: list[tuple[float, str, str, tuple[object, ...]]] = []

    def note(self, who: str, what: str, *details: object) -> None:
        """Note that `who` did or met `what`, a kind of event."""
        self._lines.append((self._clock(), who, what, details))
        self.counts[what] = self.counts.get(what, 0) + 1

    def count(self, what: str, by: int = 1) -> None:
        """Count `what` without a line."""
        self.counts[what] = self.counts.get(what, 0) + by

    def lines(self, about: str = "") -> list[str]:
        """Return what happened; with `about`, only what has to do with that key or all keys."""
        return [
            f"{time:10.4f} {who:8} {what} {' '.join(map(str, details))}".rstrip()
            for time, who, what, details in self._lines
            if not about or _concerns(details, about)
        ]

    def tail(self, about: str) -> str:
        """Return the last lines about a key."""
        return "\n".join(self.lines(about)[-LAST:])

    def digest(self) -> str:
        """Return what two runs share if and only if the same happened in them."""
        return sha256("\n".join(self.lines()).encode()).hexdigest()


def _concerns(details: tuple[object, ...], key: str) -> bool:
    keys = [detail for detail in details if isinstance(detail, str) and detail[:4] == "key-"]
    return not keys or key in keys
