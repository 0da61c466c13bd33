"""Both ends of gRPC joined without a socket, and stand-ins for those whom they tell."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final

from fakes import FakeClock

from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.client_session import ClientSession
from cache_core.rpc.grpc.heads import Metadata
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import ServerSession
from cache_core.rpc.grpc.turns import Turns
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import ConnectionFault

CUT: Final = b"x-answered"
"""The field of the trailers that is told apart."""


@dataclass(frozen=True, slots=True)
class FakeMethod:
    """A method as a server knows it."""

    takes_stream: bool


METHODS: Final = {b"/s/One": FakeMethod(False), b"/s/Many": FakeMethod(True)}


class FakeTurns(Turns):
    """Turns that begin when a test says so."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []
        self.spent = [0]
        """How many bytes were unpacked in each turn."""
        super().__init__(self._due.append)

    def spend(self, size: int) -> None:
        self.spent[-1] += size
        super().spend(size)

    def next(self) -> bool:
        """Begin the next turn; return whether anything was left for it."""
        due = self._due.copy()
        self._due.clear()
        self.spent.append(0)
        for each in due:
            each()
        return bool(due)


class FakeHandler:
    """Notes what a server is told of its calls, and lets `then` answer each message.

    `at_suspension` is called where the connection waits for another turn.
    """

    def __init__(self) -> None:
        self.calls: list[ServerCall] = []
        self.messages: list[bytes] = []
        self.half: list[ServerCall] = []
        self.gone: list[ServerCall] = []
        self.empty: list[ServerCall] = []
        self.pongs = 0
        self.faults: list[ConnectionFault] = []
        self.then: Callable[[ServerCall, bytes], None] = lambda _, __: None
        self.at_suspension: Callable[[], None] = lambda: None

    def called(self, call: ServerCall, message: bytes) -> None:
        self.calls.append(call)
        self.messages.append(message)
        self.then(call, message)

    def half_closed(self, call: ServerCall) -> None:
        self.half.append(call)

    def hung_up(self, call: ServerCall) -> None:
        self.gone.append(call)

    def drained(self, call: ServerCall) -> None:
        self.empty.append(call)

    def pong(self, _data: bytes) -> None:
        self.pongs += 1

    def suspended(self) -> None:
        self.at_suspension()

    def failed(self, fault: ConnectionFault) -> None:
        self.faults.append(fault)


class FakeCaller:
    """Keeps what comes of a call; `then` is called with each message, `at_end` at its end."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.ends: list[Ended] = []
        self.http_status: int | None = None
        """What the answer's header said, once the call has ended."""
        self.then: Callable[[ClientCall], None] = lambda _: None
        self.at_end: Callable[[ClientCall], None] = lambda _: None

    @property
    def end(self) -> Ended:
        """The one end of the call."""
        (end,) = self.ends
        return end

    def message(self, call: ClientCall, message: bytes) -> None:
        self.messages.append(message)
        self.then(call)

    def ended(self, call: ClientCall, end: Ended) -> None:
        self.ends.append(end)
        self.http_status = None if call.head is None else call.head.status
        self.at_end(call)


class FakeOwner:
    """Notes what a client's end tells of the connection as a whole."""

    def __init__(self) -> None:
        self.goodbyes = 0
        self.reasons: list[str] = []
        self.pongs = 0
        self.flushes = 0
        self.faults: list[ConnectionFault] = []
        self.at_suspension: Callable[[], None] = lambda: None

    def flush_soon(self) -> None:
        self.flushes += 1

    def said_goodbye(self, why: str) -> None:
        self.goodbyes += 1
        self.reasons.append(why)

    def answered_ping(self, _data: bytes) -> None:
        self.pongs += 1

    def suspended(self) -> None:
        self.at_suspension()

    def broke_a_rule(self, fault: ConnectionFault) -> None:
        self.faults.append(fault)


class Ends:
    """A client's end and a server's; `pump` passes on what each has to say, `step` bytes a piece.

    The server knows METHODS. Both unpack within the same `turns`.
    """

    def __init__(
        self,
        server: Bounds | None = None,
        client: Bounds | None = None,
        *,
        max_message: int = 100_000,
        max_held: int = 200_000,
        step: int | None = None,
        turns: FakeTurns | None = None,
    ) -> None:
        self.step = step
        self.clock = FakeClock()
        self.turns = turns or FakeTurns()
        self.handler = FakeHandler()
        self.owner = FakeOwner()
        self.server = ServerSession(
            METHODS,
            self.handler,
            bounds=server or Bounds(),
            max_message=max_message,
            max_held=max_held,
            turns=self.turns,
            clock=self.clock,
        )
        self.client = ClientSession(
            self.owner,
            bounds=client or Bounds(streams=0),
            max_message=max_message,
            cut=CUT,
            turns=self.turns,
            clock=self.clock,
        )
        self.handler.at_suspension = partial(self.turns.wait, self._go_on_server)
        self.owner.at_suspension = partial(self.turns.wait, self._go_on_client)
        self.server.connection.begin()
        self.client.connection.begin()

    def call(
        self,
        message: bytes = b"",
        path: str = "/s/One",
        fields: Metadata = (),
        seconds: float = inf,
    ) -> tuple[ClientCall, FakeCaller]:
        """Make a call; nothing of it has left yet."""
        caller = FakeCaller()
        asked = ClientCall(timed(request_block(path, "here:1", fields), seconds), message, caller)
        self.client.ask(asked)
        return asked, caller

    def to_server(self) -> bool:
        """Pass on what the client has to say; return whether there was anything."""
        self.client.go_on()
        data = self.client.connection.outlet.take()
        self.client.written = self.client.connection.last
        has_passed = _pass_on(data, self.server.connection.receive, self.step)
        self.server.backlog.go_on()
        return has_passed

    def to_client(self) -> bool:
        """Pass on what the server has to say; return whether there was anything."""
        outlet = self.server.connection.outlet
        data = outlet.take()
        outlet.unwritten = 0
        return _pass_on(data, self.client.receive, self.step)

    def pump(self) -> None:
        """Pass on what both have to say, until neither says more."""
        while self.to_server() | self.to_client() | self.turns.next():
            pass

    def _go_on_server(self) -> None:
        self.server.connection.resume()
        self.server.connection.receive(b"")

    def _go_on_client(self) -> None:
        self.client.connection.resume()
        self.client.receive(b"")


def _pass_on(data: bytes, receive: Callable[[bytes], None], step: int | None) -> bool:
    for start in range(0, len(data), step or max(1, len(data))):
        receive(data[start : start + step] if step else data)
    return bool(data)
