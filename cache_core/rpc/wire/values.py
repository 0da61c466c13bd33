"""Values and their terms as protobuf messages, both directions."""

from functools import lru_cache
from math import inf, isfinite
from typing import Final

from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.wire.metadata import is_name
from cache_core.settings import MAX_MEDIA_TYPE
from cache_core.value import NO_TERMS, Answer, Terms, Value

TO_ANSWER: Final = {
    pb.ANSWER_HIT: Answer.HIT,
    pb.ANSWER_MISS: Answer.MISS,
    pb.ANSWER_COLLAPSED: Answer.COLLAPSED,
    pb.ANSWER_STALE: Answer.STALE,
    pb.ANSWER_STALE_ERROR: Answer.STALE_ERROR,
    pb.ANSWER_RELOAD: Answer.RELOAD,
}
FROM_ANSWER: Final = {answer: number for number, answer in TO_ANSWER.items()}


def write_value(value: Value, into: pb.Value) -> None:
    """Write `value` into the message `into`."""
    into.data = value.data
    if value.ttl is not None:
        into.ttl = value.ttl
    into.age = value.age
    into.answer = FROM_ANSWER[value.answer]
    if value.node is not None:
        into.node = value.node
    if value.terms != NO_TERMS:
        into.terms.CopyFrom(write_terms(value.terms))
    into.stored = value.stored
    into.copied = value.copied


@lru_cache
def write_terms(terms: Terms) -> pb.Terms:
    """Return `terms` as a message, which is made once for a group, not once for an answer."""
    return pb.Terms(**terms._asdict())


def read_value(said: pb.Value, *, node: str | None = None) -> Value:
    """Return the value in the message `said`; `node` answered where it names no node.

    A TTL that is infinite or NaN becomes None; for the age, see `length`.
    """
    return Value(
        said.data,
        said.ttl if said.HasField("ttl") and isfinite(said.ttl) else None,
        length(said.age),
        TO_ANSWER.get(said.answer, Answer.MISS),
        said.node if is_name(said.node) else node,
        read_terms(said.terms) if said.HasField("terms") else NO_TERMS,
        said.stored,
        copied=said.copied,
    )


def read_terms(said: pb.Terms) -> Terms:
    """Return the terms in the message `said`."""
    kind = said.content_type if len(said.content_type) <= MAX_MEDIA_TYPE else ""
    return Terms(length(said.stale_while_revalidate), length(said.stale_if_error), kind)


def length(said: float) -> float:
    """Return the duration `said`, in seconds; 0 where it is negative, infinite or NaN."""
    return said if 0 <= said < inf else 0.0
