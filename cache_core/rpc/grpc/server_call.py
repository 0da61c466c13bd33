"""A call as the server has it, and who answers it."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from cache_core.rpc.grpc.heads import RequestHead
from cache_core.rpc.grpc.messages import Messages
from cache_core.rpc.grpc.packed import WINDOW_BITS
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.codes import ConnectionFault
from cache_core.rpc.http2.framing.fields import Fields
from cache_core.rpc.http2.stream import Stream

_KNOWN: Final = frozenset((b"identity", *WINDOW_BITS))


class Method(Protocol):
    """A method of a service, as the handler knows it."""

    @property
    def takes_stream(self) -> bool:
        """Whether a call sends any number of messages, and not one."""


class ServerCall:
    """One call as it is answered."""

    deadline: float | None = None
    """Until when an answer is waited for, by the connection's clock; None for no deadline."""
    messages: Messages | None = None
    message: bytes | None = None
    """The one message of a call that has not ended yet."""
    head_bytes = 0
    """What its header takes, where no other call has the same."""
    held = 0
    """How many bytes of it the connection holds: of its messages, and of its answer that waits."""
    has_header = False
    was_begun = False
    """Whether the handler has been told of it."""

    stream: Stream[Any]

    def __init__(self, stream: Stream[Any], head: "MethodHead") -> None:
        self.stream = stream
        self.head = head


class MethodHead(RequestHead):
    """A call's header, with the method that its path means, None where there is none."""

    __slots__ = ("method", "note", "refusal")

    def __init__(self, fields: Fields, methods: Mapping[bytes, Any]) -> None:
        super().__init__(fields)
        self.method: Any = methods.get(self.path)
        """None where there is no such method."""
        self.note: Any = None
        """What the handler has made of the metadata, which it may keep here."""
        self.refusal = _refusal(self)
        """Why such a call can't be answered, if so."""


class Handler(Protocol):
    """Who answers the calls."""

    def called(self, call: ServerCall, message: bytes) -> None:
        """Take the message of a call, or one of those of a call that sends several."""

    def half_closed(self, call: ServerCall) -> None:
        """Learn that a call that sends several messages sends no more."""

    def hung_up(self, call: ServerCall) -> None:
        """Learn that nobody waits for the answer any more."""

    def drained(self, call: ServerCall) -> None:
        """Learn that all that was sent has left."""

    def suspended(self) -> None:
        """Learn that the connection waits for a later turn: it has to `resume` in it."""

    def pong(self, data: bytes) -> None:
        """Learn that the other end has answered the ping of this data."""

    def failed(self, fault: ConnectionFault) -> None:
        """Learn that the other end broke a rule: the connection is over once all is written."""


def _refusal(head: MethodHead) -> tuple[StatusCode, str] | None:
    if head.http_status != 200:
        return StatusCode.INVALID_ARGUMENT, "this is no call of gRPC"
    if head.method is None:
        return StatusCode.UNIMPLEMENTED, "Method not found!"  # as grpcio says it
    if head.encoding not in _KNOWN:
        encoding = head.encoding.decode(errors="replace")
        return StatusCode.UNIMPLEMENTED, f"messages packed by {encoding} are not taken"
    return None
