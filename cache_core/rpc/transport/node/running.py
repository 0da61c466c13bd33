"""The calls of a connection that run in tasks: their deadlines, and the room for their answers."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from cache_core.errors import DeadlineExceeded, PeerUnavailable
from cache_core.rpc.grpc.backlog import Backlog
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.value import Value


class Answering(Protocol):
    """The connection's answers, as the tasks see them."""

    def fail(self, call: ServerCall, error: BaseException) -> None:
        """End `call` with an error."""

    def flush_soon(self) -> None:
        """Have what was sent outside a turn of the connection written when this turn ends."""


class Running:
    """The calls that run for one connection to `node`; `backlog` has the room for their answers."""

    def __init__(self, node: NodeCalls, backlog: Backlog, answering: Answering) -> None:
        self._node = node
        self._backlog = backlog
        self._answering = answering
        self._loop = asyncio.get_running_loop()
        self._timers: dict[ServerCall, asyncio.TimerHandle] = {}
        self._own: set[ServerCall] = set()
        self._alone: ServerCall | None = None
        """The call whose result is made again, for which all that waits is held up."""

    def run(
        self,
        call: ServerCall,
        answer: Coroutine[None, None, Any],
        give: Callable[[ServerCall, Any], None],
        again: Callable[[], None] | None = None,
    ) -> None:
        """Run a call, and `give` its result; `again` makes the result once more."""
        self._own.add(call)
        self._node.tasks[call] = task = self._loop.create_task(answer)
        if call.deadline is not None:
            self._timers[call] = self._loop.call_at(call.deadline, self._time_out, call)
        task.add_done_callback(partial(self._settle, call, give, again))

    def _time_out(self, call: ServerCall) -> None:
        task = self._node.tasks.pop(call, None)
        if task is not None:
            words = f"node {self._node.name} did not answer within the deadline"
            self._answering.fail(call, DeadlineExceeded(words))
            self._answering.flush_soon()
            task.cancel()

    def _settle(
        self,
        call: ServerCall,
        give: Callable[[ServerCall, Any], None],
        again: Callable[[], None] | None,
        task: asyncio.Task[Any],
    ) -> None:
        is_alone = call is self._alone
        if is_alone:
            self._alone = None
            self._backlog.is_held_up = False
            self._answering.flush_soon()
        self._own.discard(call)
        self._node.watches.discard(call)
        timer = self._timers.pop(call, None)
        if timer is not None:
            timer.cancel()
        has_gone = self._node.tasks.pop(call, None) is None
        if task.cancelled():
            if not has_gone:
                self._answering.fail(call, self._why_cancelled())
                self._answering.flush_soon()
            return
        error = task.exception()
        if has_gone:
            return
        if error is not None:
            self._answering.fail(call, error)
        elif is_alone or self._backlog.has_room:
            self._conclude(call, give, task.result())
        else:
            self._wait(call, give, again, task.result())
        self._answering.flush_soon()

    def _wait(
        self,
        call: ServerCall,
        give: Callable[[ServerCall, Any], None],
        again: Callable[[], None] | None,
        result: object,
    ) -> None:
        """Answer a call once there is room for its result.

        Where so much is held for calls that wait that the result can't be held as well, it is made
        again then: most values are still in memory. What has to be loaded again is loaded alone, so
        that there is room for it when it comes.
        """
        size = len(result.data) if isinstance(result, Value) else 0
        if again is None or self._backlog.can_hold(size):
            self._backlog.wait(call, partial(self._conclude, call, give, result), size)
        else:
            self._backlog.wait(call, partial(self._retry, call, again))

    def _retry(self, call: ServerCall, again: Callable[[], None]) -> None:
        again()
        if call in self._own:
            self._alone = call
            self._backlog.is_held_up = True

    def _conclude(
        self, call: ServerCall, give: Callable[[ServerCall, Any], None], result: object
    ) -> None:
        try:
            give(call, result)
        except Exception as error:  # noqa: BLE001 - one call's failure is no other's
            self._answering.fail(call, error)

    def _why_cancelled(self) -> BaseException:
        if self._node.is_ending:
            return PeerUnavailable("the node is stopping")
        return asyncio.CancelledError()

    def hung_up(self, call: ServerCall) -> None:
        """End the work for a call that nobody waits for."""
        self._own.discard(call)
        task = self._node.tasks.pop(call, None)
        if task is not None:
            task.cancel()

    def lost(self) -> None:
        """End the work for all calls: the client has gone."""
        for call in list(self._own):
            self.hung_up(call)
