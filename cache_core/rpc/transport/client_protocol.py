"""One connection to a node, as the client has it."""

import asyncio
from collections.abc import Callable

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.client_session import ClientSession
from cache_core.rpc.grpc.heads import AnswerHead
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import ConnectionFault
from cache_core.rpc.transport.wire import Wire
from cache_core.rpc.wire.limits import KEEPALIVE_SECONDS, MAX_MESSAGE_BYTES
from cache_core.rpc.wire.metadata import ANSWER


class ClientProtocol(Wire[AnswerHead, ClientCall]):
    """A connection to ask calls on; `left` is called once it takes no more of them."""

    def __init__(self, bounds: Bounds, left: Callable[["ClientProtocol"], None]) -> None:
        loop = asyncio.get_running_loop()
        turns = Turns(loop.call_soon)
        self._left = left
        self.has_left = False
        """Whether it takes no more calls."""
        self.why = ""
        """What was wrong with it, once it takes no more calls; empty where nothing was."""
        self.was_turned_away = False
        """Whether the node has said so itself."""
        self.session = ClientSession(
            self,
            bounds=bounds,
            max_message=MAX_MESSAGE_BYTES,
            cut=ANSWER.encode(),
            turns=turns,
            clock=loop.time,
        )
        super().__init__(
            self.session.connection, self.session.receive, turns=turns, quiet=KEEPALIVE_SECONDS
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """End all calls that are under way."""
        super().connection_lost(exc)
        words = "the connection was lost" if exc is None else f"the connection was lost: {exc}"
        if not self.session.is_idle:
            self.why = self.why or words
        self._left(self)
        self.session.end(Ended(StatusCode.UNAVAILABLE, self.why or words))

    def flush(self) -> None:
        """Write what there is; close a connection whose last call has ended after a goodbye."""
        self.session.go_on()
        super().flush()
        self.session.written = self.session.connection.last
        if self.session.is_leaving and self.session.is_idle and self.transport is not None:
            self.transport.close()

    def said_goodbye(self, why: str) -> None:
        """Take no more calls."""
        self.why = why
        self.was_turned_away = bool(why)
        self._left(self)

    def broke_a_rule(self, fault: ConnectionFault) -> None:
        """Say in which words the calls end."""
        self.why = f"the node broke a rule of HTTP/2: {fault}"
        self._left(self)

    def _may_ping(self) -> bool:
        return not self.session.is_idle
