"""The header fields that a `Get` carries beside its messages, both directions.

A request's fields tell the sender's ring and trace, whether it is forwarded, and its demand. An
answer's trailers tell how fresh the value is, which node answered, and the group's terms. Any field
may be missing, because the other end need not be GaoCache. The messages themselves are those of the
original proto file.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from math import inf, isfinite
from typing import Final, NamedTuple, TypeAlias

from cache_core.trace import NO_TRACE, Trace
from cache_core.value import NO_TERMS, Answer, Demand, Terms, Value

Fields: TypeAlias = Collection[tuple[str, str | bytes]]

ANSWER: Final = "gaocache-answer"
RING: Final = "gaocache-ring"
FORWARDED: Final = "gaocache-forwarded"
DEMAND: Final = "gaocache-demand"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

MAX_TRACE_CHARS: Final = 512
"""The most characters of a trace field that is passed on (W3C Trace Context, section 3.3.1.5)."""

MAX_NAME_CHARS: Final = 300
"""The longest name of a node: a host has 253 characters at the most."""

MAX_TERMS_CHARS: Final = 1_000
"""The most characters of the terms of a group that are read."""

_OURS: Final = frozenset((RING, FORWARDED, DEMAND, TRACEPARENT, TRACESTATE))
_RING: Final = re.compile(r"[0-9a-f]{16}")
_SECONDS: Final = r"(-?[0-9]+(?:\.[0-9]+)?)"
_ANSWER: Final = re.compile(
    rf'([a-z-]+)(?:; *node="([^"]*)")?(?:; *ttl={_SECONDS})?(?:; *age={_SECONDS})?'
    r"(; *stored)?(; *copied)?(;.*)?"
)
_TERM: Final = re.compile(rf'; *([a-z-]+)(?:={_SECONDS}|="((?:[^"\\]|\\.)*)")?')
_ESCAPE: Final = re.compile(r'(["\\])')
_ESCAPED: Final = re.compile(r"\\(.)")
_ANSWERS: Final = {answer.value: answer for answer in Answer}
_DEMANDS: Final = {demand.value: demand for demand in Demand}


class Caller(NamedTuple):
    """The content of a request's fields; `ring` is the sender's ring version, 0 for no ring."""

    ring: int
    trace: Trace
    forwarded: bool
    demand: Demand = Demand.ANY


STRANGER: Final = Caller(0, NO_TRACE, forwarded=False)
"""The sender of a request that has none of these fields."""


def write_caller(caller: Caller) -> tuple[tuple[str, str], ...]:
    """Return the header fields for `caller`, without those that would only say the default."""
    fields = []
    if caller.ring:
        fields.append((RING, f"{caller.ring:016x}"))
    if caller.forwarded:
        fields.append((FORWARDED, "1"))
    if caller.demand is not Demand.ANY:
        fields.append((DEMAND, caller.demand.value))
    parent, state = carried(caller.trace)
    if parent:
        fields.append((TRACEPARENT, parent))
        if state:
            fields.append((TRACESTATE, state))
    return tuple(fields)


def read_caller(fields: Fields) -> Caller:
    """Return the Caller that `fields` tell; a missing or malformed field leaves the default."""
    for name, _ in fields:
        if name in _OURS:
            break
    else:
        return STRANGER
    said = dict(fields)
    ring = said.get(RING)
    demand = said.get(DEMAND)
    parent, state = said.get(TRACEPARENT), said.get(TRACESTATE)
    return Caller(
        _read_ring(ring) if isinstance(ring, str) else 0,
        Trace(str(parent or ""), str(state or "")) if parent or state else NO_TRACE,
        said.get(FORWARDED) == "1",
        _DEMANDS.get(demand, Demand.ANY) if isinstance(demand, str) else Demand.ANY,
    )


@lru_cache
def _read_ring(said: str) -> int:  # once a ring, not once a call
    return int(said, 16) if _RING.fullmatch(said) else 0


def carried(trace: Trace) -> Trace:
    """Return `trace` without the fields that no header can hold, which would fail the call.

    A field is also taken away where it is too long. Without its parent, a trace has no state.
    """
    if not trace.parent or not _is_carried(trace.parent):
        return Trace()
    return trace if _is_carried(trace.state) else Trace(trace.parent)


def write_answer(value: Value, *, node: str) -> str:
    """Return the field that tells how `value` was answered, to the millisecond.

    It is a structured field (RFC 8941), like
    `miss; node="127.0.0.1:8080"; ttl=36.500; age=3.500; stored; copied`. After that come the
    group's terms: `stale-while-revalidate`, `stale-if-error` and `content-type`, each only where
    there is one. `node` answered where the value names no node.
    """
    ttl, terms = value.ttl, value.terms
    head = _write_head(value.answer, value.node or node)
    tail = "" if terms is NO_TERMS else _write_terms(terms)
    if value.copied:
        tail = f"; copied{tail}"
    if value.stored:
        tail = f"; stored{tail}"
    if ttl is None:
        return f"{head}; age={value.age:.3f}{tail}"
    return f"{head}; ttl={ttl:.3f}; age={value.age:.3f}{tail}"


@lru_cache
def _write_head(answer: Answer, node: str) -> str:  # once a node, not once an answer
    return f'{answer.value}; node="{node}"'


def read_answer(said: str | bytes | None, data: bytes, *, node: str) -> Value:
    """Return the Value of `data` that the field `said` tells of.

    It is a MISS that `node` answered where there is no such field, or it is malformed.
    """
    match = _ANSWER.fullmatch(said) if isinstance(said, str) else None
    if match is None:
        return Value(data, node=node)
    answer, who, ttl, age, stored, copied, terms = match.groups()
    return Value(
        data,
        _ttl(ttl),
        _length(float(age or 0)),
        _ANSWERS.get(answer, Answer.MISS),
        who if who is not None and is_name(who) else node,
        NO_TERMS if terms is None or len(terms) > MAX_TERMS_CHARS else _read_terms(terms),
        stored is not None,
        copied=copied is not None,
    )


@lru_cache
def _write_terms(terms: Terms) -> str:  # once a group, not once an answer
    said = ""
    if terms.stale_while_revalidate:
        said += f"; stale-while-revalidate={terms.stale_while_revalidate:.3f}"
    if terms.stale_if_error:
        said += f"; stale-if-error={terms.stale_if_error:.3f}"
    if terms.content_type:
        escaped = _ESCAPE.sub(r"\\\1", terms.content_type)
        said += f'; content-type="{escaped}"'
    return said


@lru_cache
def _read_terms(said: str) -> Terms:
    """Return the terms among the parameters `said`; unknown and malformed ones are skipped."""
    seconds: dict[str, float] = {}
    content_type = ""
    for name, number, text in _TERM.findall(said):
        if number:
            seconds[name] = float(number)
        elif name == "content-type":
            content_type = _ESCAPED.sub(r"\1", text)
    return Terms(
        _length(seconds.get("stale-while-revalidate", 0.0)),
        _length(seconds.get("stale-if-error", 0.0)),
        content_type,
    )


def is_name(said: str) -> bool:
    """Tell whether a node may have that name, which travels with each of its answers."""
    return 0 < len(said) <= MAX_NAME_CHARS and said.isascii() and said.isprintable()


def _ttl(said: str | None) -> float | None:
    ttl = inf if said is None else float(said)
    return ttl if isfinite(ttl) else None


def _length(seconds: float) -> float:
    return seconds if 0 <= seconds < inf else 0.0


def _is_carried(text: str) -> bool:
    return len(text) <= MAX_TRACE_CHARS and text.isascii() and text.isprintable()
