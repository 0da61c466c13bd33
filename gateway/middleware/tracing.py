"""The trace that a request names goes on to the node, and to all that the node asks.

W3C Trace Context, sections 3.2 (traceparent) and 3.3 (tracestate).
"""

import re
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from cache_core.trace import NO_TRACE, Trace, current_trace
from gateway.http.fields import joined

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

MAX_MEMBERS: Final = 32

_PARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?P<more>-[\x21-\x7e]*)?"
)
_MEMBER: Final = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


class Tracing:
    """ASGI middleware: all calls for a request belong to the trace that it names, or to none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in its trace."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # NO_TRACE is set too, because a connection's requests share what its first one set.
        token = current_trace.set(trace_of(joined(scope["headers"])))
        try:
            await self._app(scope, receive, send)
        finally:
            current_trace.reset(token)


def trace_of(fields: Mapping[str, str]) -> Trace:
    """Return the trace of a request with `fields`; a malformed field counts as not sent."""
    parent = _PARENT.fullmatch(fields.get(TRACEPARENT, ""))
    if parent is None or (parent["version"] == "00" and parent["more"] is not None):
        return NO_TRACE
    state = fields.get(TRACESTATE, "")
    return Trace(parent[0], state if _is_state(state) else "")


def _is_state(state: str) -> bool:
    members = [member for text in state.split(",") if (member := text.strip(" \t"))]
    keys = [match[1] for match in map(_MEMBER.fullmatch, members) if match]
    return len(keys) == len(members) <= MAX_MEMBERS and len(set(keys)) == len(keys)
