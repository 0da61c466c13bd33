"""What a connection holds of its calls, and what waits until the other end reads its answers."""

from collections.abc import Callable
from typing import Any

from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.http2.outlet import Outlet


class Backlog:
    """Counts what is held for the calls of a connection, and has them wait while it is too much.

    `most` bytes may be held of calls that were not begun, of large messages, and, up to the half of
    it, of answers that wait. About as many may be in `outlet`, sent and not read: while there are
    more, calls and answers wait until `go_on`.
    """

    def __init__(self, outlet: Outlet[Any], most: int) -> None:
        self._outlet = outlet
        self._most = most
        self.held = 0
        """How many bytes are held of calls and of answers that wait."""
        self._waiting: dict[ServerCall, Callable[[], None]] = {}
        self.is_held_up = False
        """Whether nothing goes on for now, though there may be room."""

    @property
    def has_room(self) -> bool:
        """Whether more may be answered, and is not to wait until what was answered is read."""
        outlet = self._outlet
        return not self._waiting and outlet.queued + outlet.unwritten <= self._most

    @property
    def can_go_on(self) -> bool:
        """Whether there is room for what waits."""
        outlet = self._outlet
        is_full = outlet.queued + outlet.unwritten > self._most
        return bool(self._waiting) and not self.is_held_up and not is_full

    @property
    def is_over(self) -> bool:
        """Whether more is held than may be."""
        return self.held > self._most

    def can_hold(self, size: int) -> bool:
        """Return whether an answer of so many bytes may wait: answers leave half of it to calls."""
        return self.held + size <= self._most // 2

    def hold(self, call: ServerCall, size: int) -> None:
        """Count `size` bytes as all that is held for `call`."""
        self.held += size - call.held
        call.held = size

    def wait(self, call: ServerCall, then: Callable[[], None], size: int = 0) -> None:
        """Do `then` once there is room, unless `call` is over before; hold `size` bytes more."""
        self.hold(call, call.held + size)
        self._waiting[call] = then

    def waits(self, call: ServerCall) -> bool:
        """Return whether something waits for `call`."""
        return call in self._waiting

    def let_go(self, call: ServerCall) -> None:
        """Hold nothing for `call` any more."""
        self._waiting.pop(call, None)
        self.held -= call.held
        call.held = 0
        call.messages = call.message = None

    def go_on(self) -> None:
        """Do what waits, as far as there is room for it."""
        while self.can_go_on:
            call = next(iter(self._waiting))
            then = self._waiting.pop(call)
            if not call.stream.is_closed:
                then()

    def clear(self) -> None:
        """Have nothing wait any more."""
        self._waiting.clear()
