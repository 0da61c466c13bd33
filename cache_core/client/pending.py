"""One get of a client, from the ask of its key's owner to the outcome. Knows no wire."""

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from cache_core.client.failover import Failed
from cache_core.cluster.peers import Peers
from cache_core.errors import CacheError, DeadlineExceeded, PeerUnavailable, UnexpectedStatus
from cache_core.trace import current_trace
from cache_core.value import Demand, Outcome, Then, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cache_core.cluster.link_batch import Waiting


AskOthers: TypeAlias = "Callable[[PendingGet, Failed | None], Coroutine[None, None, Value]]"
"""Asks the nodes that come after the one that failed, or all of them where none has been asked."""


class PendingGet:
    """A get under way. Its key's owner is asked at once; if that fails, a task asks others."""

    __slots__ = (
        "_ask_others",
        "_task",
        "_then",
        "_trace",
        "_waiting",
        "deadline",
        "demand",
        "group",
        "key",
    )

    def __init__(
        self,
        ask_others: AskOthers,
        group: str,
        key: str,
        demand: Demand,
        deadline: float,
        then: Then,
    ) -> None:
        self.group = group
        self.key = key
        self.demand = demand
        self.deadline = deadline
        self._ask_others = ask_others
        self._then = then
        self._trace = current_trace.get()
        self._waiting: Waiting | None = None
        self._task: asyncio.Task[Value] | None = None

    def begin(self, peers: Peers, owner: str) -> None:
        """Ask `owner`, one of `peers`."""

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, PeerUnavailable):
                peers.failed(owner, outcome)
                self.go_on(Failed(peers, owner, outcome))
                return
            if isinstance(outcome, DeadlineExceeded):
                peers.suspect(owner)
            self._then(outcome)

        self._waiting = peers.link(owner).ask(
            self.group,
            self.key,
            forwarded=False,
            demand=self.demand,
            deadline=self.deadline,
            then=settle,
        )

    def go_on(self, failed: Failed | None) -> None:
        """Start a task that asks the nodes after the one that `failed`, or any where it is None."""
        # In this get's own trace: the turn in which its call failed may be another get's.
        token = current_trace.set(self._trace)
        self._task = asyncio.get_running_loop().create_task(self._ask_others(self, failed))
        current_trace.reset(token)
        self._task.add_done_callback(self._end)

    def answer(self, value: Value) -> None:
        """Call `then` with `value` once this turn of the event loop ends; no node is asked."""
        asyncio.get_running_loop().call_soon(lambda: self._then(value))

    def give_up(self) -> None:
        """Wait no longer: `then` is not called any more."""
        self._then = _nobody
        if self._task is not None:
            self._task.cancel()
        elif self._waiting is not None:
            self._waiting.give_up()

    def _end(self, task: "asyncio.Task[Value]") -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._then(task.result())
        elif isinstance(error, CacheError):
            self._then(error)
        else:  # a bug of ours: the caller should not wait on
            self._then(UnexpectedStatus("the client failed", status="INTERNAL"))
            raise error


def _nobody(_: Outcome) -> None:
    """Take the outcome of a get that was given up, and do nothing."""
