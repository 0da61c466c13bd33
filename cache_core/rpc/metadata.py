"""What `Get` says beside its messages, which are the seed's: header fields, both directions.

A request tells the caller's ring and trace, and whether it is forwarded; an answer's trailers
tell how fresh the value is and who answered. All of it may be missing: neither our callers nor
the nodes we call need be ours.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from cache_core.trace import Trace
from cache_core.value import Answer, Value

Fields: TypeAlias = Iterable[tuple[str, str | bytes]]

ANSWER: Final = "gaocache-answer"
RING: Final = "gaocache-ring"
FORWARDED: Final = "gaocache-forwarded"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

MAX_TRACE_CHARS: Final = 512
"""How long a trace field may be to be passed on (W3C Trace Context, section 3.3.1.5)."""

_RING: Final = re.compile(r"[0-9a-f]{16}")
_SECONDS: Final = r"(-?[0-9]+(?:\.[0-9]+)?)"
_ANSWER: Final = re.compile(
    rf'([a-z-]+)(?:; *node="([^"]*)")?(?:; *ttl={_SECONDS})?(?:; *age={_SECONDS})?(?:;.*)?'
)
_ANSWERS: Final = {answer.value: answer for answer in Answer}


class Caller(NamedTuple):
    """What a request says of whoever sent it; `ring` is 0 where it has none."""

    ring: int
    trace: Trace
    forwarded: bool


def write_caller(caller: Caller) -> tuple[tuple[str, str], ...]:
    """Return the fields that say `caller`; what is nothing is left out."""
    fields = []
    if caller.ring:
        fields.append((RING, f"{caller.ring:016x}"))
    if caller.forwarded:
        fields.append((FORWARDED, "1"))
    parent, state = carried(caller.trace)
    if parent:
        fields.append((TRACEPARENT, parent))
        if state:
            fields.append((TRACESTATE, state))
    return tuple(fields)


def read_caller(fields: Fields) -> Caller:
    """Return what `fields` say; what is missing or malformed is nothing."""
    said = dict(fields)
    ring = said.get(RING)
    parent = said.get(TRACEPARENT)
    state = said.get(TRACESTATE)
    return Caller(
        int(ring, 16) if isinstance(ring, str) and _RING.fullmatch(ring) else 0,
        Trace(str(parent or ""), str(state or "")),
        said.get(FORWARDED) == "1",
    )


def carried(trace: Trace) -> Trace:
    """Return what of `trace` can travel: a field that a header can't hold would fail the call."""
    if not trace.parent or not _is_carried(trace.parent):
        return Trace()
    return trace if _is_carried(trace.state) else Trace(trace.parent)


def write_answer(value: Value, *, node: str) -> str:
    """Return how `value` was answered, as a structured field (RFC 8941) to the millisecond.

    Like `hit; node="127.0.0.1:8080"; ttl=36.5; age=3.5`. `node` is who answered where the value
    doesn't say.
    """
    ttl = "" if value.ttl is None else f"; ttl={value.ttl:.3f}"
    return f'{value.answer.value}; node="{value.node or node}"{ttl}; age={value.age:.3f}'


def read_answer(said: str | bytes | None, data: bytes, *, node: str) -> Value:
    """Return `data` as the value that the field `said` tells of; without one a MISS by `node`."""
    match = _ANSWER.fullmatch(said) if isinstance(said, str) else None
    if match is None:
        return Value(data, node=node)
    answer, who, ttl, age = match.groups()
    return Value(
        data,
        None if ttl is None else float(ttl),
        float(age or 0),
        _ANSWERS.get(answer, Answer.MISS),
        who or node,
    )


def _is_carried(text: str) -> bool:
    return len(text) <= MAX_TRACE_CHARS and text.isascii() and text.isprintable()
