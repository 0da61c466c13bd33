"""One stream as an end sees it: what is open, what waits to be sent, and who is called for it."""

from collections import deque
from typing import Generic, TypeVar

C = TypeVar("C")


class Stream(Generic[C]):
    """A stream that is open in at least one direction.

    What few streams ever change is kept by the class: to make one takes 0.2 us, and with 13
    attributes of its own 0.6 us.
    """

    received = 0
    """How many bytes have come that the other end was not yet told that it may send again."""
    to_come: int | None = None
    """How many bytes of data its header announced that have not come."""
    has_head = False
    """Whether, at the client, the answer's header has come."""
    has_ended = False
    """Whether the other end sends nothing more."""
    has_sent_all = False
    """Whether this end sends nothing more once the queue is empty."""
    is_closed = False
    queue: deque[bytes | memoryview] | None = None
    """Data that waits for the other end's windows; None where none ever did."""
    queued = 0
    waits_since = 0.0
    """When the other end last took of the queue; 0 where nothing waits."""
    trailer: bytes | None = None
    """The block that is sent once the queue is empty; empty where an empty frame ends it."""
    since = 0.0
    """When it was begun, by the connection's clock."""
    call: C | None = None
    """The listener's own."""

    def __init__(self, number: int, window: int, left: int) -> None:
        self.number = number
        self.window = window
        """How many bytes of data the other end takes."""
        self.left = left
        """How many bytes of data the other end may send."""
