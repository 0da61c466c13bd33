"""The trace that the current call belongs to. The core makes none and changes none.

W3C Trace Context (https://www.w3.org/TR/trace-context/): the header fields `traceparent` and
`tracestate`, passed on as they came.
"""

from contextvars import ContextVar
from typing import Final, NamedTuple


class Trace(NamedTuple):
    """A call's place in a trace; both fields are empty where the caller named none.

    `parent` is the value of `traceparent`: the trace's id and the caller's span. `state` is that of
    `tracestate`, which belongs to the vendors of tracing systems.
    """

    parent: str = ""
    state: str = ""


NO_TRACE: Final = Trace()

current_trace: Final[ContextVar[Trace]] = ContextVar("trace", default=NO_TRACE)
"""Set by the server that takes a call in; read by everything that runs for it, loads included."""
