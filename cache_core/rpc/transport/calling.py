"""One call that is made by a way, and made again where the node has not looked at it.

A call that has never left is made again for as long as its caller waits, one that the node refused
only once: then it was on the wire, and the node may be busy (gRFC A6, transparent retries).
"""

from abc import ABC, abstractmethod

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.transport.way import Way


class Calling(ABC):
    """A call that is made by `way`; the answer's messages come to `message`, its end to `over`."""

    _has_been_refused = False
    _made: ClientCall | None = None

    def __init__(self, way: Way) -> None:
        self._way = way

    def call(self, block: bytes, message: bytes) -> None:
        """Make the call of that header, with its one message."""
        self._made = ClientCall(block, message, self)
        self._way.ask(self._made)

    def give_up(self) -> None:
        """Wait for the answer no longer: nothing comes of it any more."""
        made, self._made = self._made, None
        if made is not None:
            self._way.give_up(made)

    @abstractmethod
    def message(self, call: ClientCall, message: bytes, /) -> None:
        """Take a message of the answer."""

    def ended(self, call: ClientCall, end: Ended) -> None:
        """Make the call again where the node has not looked at it, else pass its end on."""
        if call is not self._made:  # it was given up meanwhile
            return
        if end.never_left or (end.was_refused and not self._has_been_refused):
            self._has_been_refused |= end.was_refused
            self.call(call.block, call.message)
        else:
            self._made = None
            self.over(end)

    @abstractmethod
    def over(self, end: Ended) -> None:
        """Learn how the call ended; nothing comes of it any more."""
