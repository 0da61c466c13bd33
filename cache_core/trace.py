"""The trace that the current call belongs to. Makes none and changes none: it only passes on.

W3C Trace Context: the header fields `traceparent` and `tracestate`, as they came.
"""

from contextvars import ContextVar
from typing import Final, NamedTuple


class Trace(NamedTuple):
    """A call's place in a trace; empty where the caller named none."""

    parent: str = ""
    state: str = ""


NO_TRACE: Final = Trace()

current_trace: Final[ContextVar[Trace]] = ContextVar("trace", default=NO_TRACE)
"""Set by whoever takes a call in; what runs for that call passes it on, loads included."""
