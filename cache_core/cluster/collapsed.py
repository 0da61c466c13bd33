"""Asks for the same key in one call, which ask the node once. Knows no wire."""

from collections.abc import Sequence
from typing import Final

from cache_core.cluster.peer import Ask
from cache_core.value import Answer, Outcome, Value

_LOADED: Final = frozenset({Answer.MISS, Answer.RELOAD})


class CollapsedAsk(Ask):
    """One ask for several that differ in their waiters alone; its outcome is that of each.

    Where the node loads the value for it, it was loaded for the first of them, and the others are
    COLLAPSED.
    """

    __slots__ = ("_asks",)

    def __init__(self, asks: Sequence[Ask]) -> None:
        first = asks[0]
        super().__init__(
            first.group,
            first.key,
            forwarded=first.forwarded,
            demand=first.demand,
            deadline=max([ask.deadline for ask in asks]),
            trace=first.trace,
            then=first.settle,
        )
        self._asks = asks

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits for the outcome any more."""
        return all(ask.is_settled for ask in self._asks)

    def settle(self, outcome: Outcome) -> None:
        """Settle each of the asks that have no outcome yet."""
        first, *others = self._asks
        first.settle(outcome)
        if isinstance(outcome, Value) and outcome.answer in _LOADED:
            outcome = outcome._replace(answer=Answer.COLLAPSED)
        for ask in others:
            ask.settle(outcome)


def collapse(asks: Sequence[Ask]) -> Sequence[Ask]:
    """Return the asks that a node has to be asked for `asks`, each distinct one once.

    Asks of different traces are distinct, so that the node sees each trace.
    """
    if len({ask.key for ask in asks}) == len(asks):  # 0.1 us a key, and so it is nearly always
        return asks
    alike: dict[tuple[object, ...], list[Ask]] = {}
    for ask in asks:
        what = (ask.group, ask.key, ask.forwarded, ask.demand, ask.trace)
        alike.setdefault(what, []).append(ask)
    return [some[0] if len(some) == 1 else CollapsedAsk(some) for some in alike.values()]
