"""A read and what it may come to: a value or an error, whose words name a version."""

from dataclasses import dataclass
from typing import TypeAlias

from simulation.loop import Process
from simulation.source import version_in

from cache_core import CacheError, NotFound, Value
from cache_core.errors import SourceUnavailable

Outcome: TypeAlias = Value | CacheError


@dataclass(slots=True, eq=False)
class Read:
    """A get under way, of the client `at`, or inside the node `at`.

    `must_succeed` where nothing excuses a failure.
    """

    number: int
    at: Process
    is_inside: bool
    key: str
    began: float
    timeout: float
    must_succeed: bool

    @property
    def who(self) -> str:
        """Who reads, in the history."""
        return f"in {self.at.name}" if self.is_inside else self.at.name

    @property
    def call(self) -> str:
        """What the source sees it under."""
        return f"read-{self.number}"


def version_of(outcome: Value | NotFound) -> int:
    if isinstance(outcome, Value):
        return version_in(outcome.data.decode())
    return version_in(outcome.message)


def content_of(outcome: Value | NotFound) -> bytes | str:
    """Return what tells the outcome of one load from that of another."""
    return outcome.data if isinstance(outcome, Value) else outcome.message


def is_own_word(error: CacheError) -> bool:
    """Tell whether it is what a node says of a source that hangs, or of itself when it stops."""
    return isinstance(error, SourceUnavailable) and (
        "gave no answer in" in error.message or "was ended" in error.message
    )


def words_of(outcome: Outcome) -> tuple[str, ...]:
    return (str(outcome),) if isinstance(outcome, CacheError) else ()
