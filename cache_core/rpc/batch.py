"""A batch and its outcomes as messages, both directions. Knows no connection."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import grpc

from cache_core.errors import CacheError, InvalidKey, UnexpectedStatus
from cache_core.pb import cluster_pb2 as pb
from cache_core.peer import Ask
from cache_core.rpc.codec import read_value, write_value
from cache_core.rpc.limits import MAX_BATCH_ITEMS, MAX_MESSAGE_BYTES, MAX_VALUE_BYTES
from cache_core.rpc.metadata import MAX_TRACE_CHARS, carried
from cache_core.rpc.status import DETAILS_KEY, from_status, to_status
from cache_core.value import Demand, Value

Outcome: TypeAlias = tuple[int, Value | CacheError]
"""An item's place in its batch, and what its get came to."""

AROUND: Final = 2 * MAX_TRACE_CHARS + 128
"""More bytes than an item or an outcome has beside its names, its data or its words."""

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}

_TO_DEMAND: Final = {pb.DEMAND_CACHED: Demand.CACHED, pb.DEMAND_NEW: Demand.NEW}
_FROM_DEMAND: Final = {demand: number for number, demand in _TO_DEMAND.items()}


def chunks(asks: Iterable[Ask]) -> Iterator[list[Ask]]:
    """Yield `asks` in lists that a batch each can carry: of one kind, few enough, not too large.

    Those whose text no message can carry are failed with InvalidKey.
    """
    chunk: list[Ask] = []
    size = 0
    for ask in sorted(asks, key=lambda ask: ask.forwarded):
        try:
            weight = len(ask.group.encode()) + len(ask.key.encode()) + AROUND
        except UnicodeEncodeError:
            ask.settle(InvalidKey())
            continue
        full = len(chunk) == MAX_BATCH_ITEMS or size + weight > MAX_VALUE_BYTES
        if chunk and (full or chunk[0].forwarded != ask.forwarded):
            yield chunk
            chunk, size = [], 0
        chunk.append(ask)
        size += weight
    if chunk:
        yield chunk


def write_batch(asks: Sequence[Ask], ring: int) -> pb.BatchGetRequest:
    """Return the request for `asks`, which are a chunk."""
    request = pb.BatchGetRequest(forwarded=asks[0].forwarded, ring=ring)
    for ask in asks:
        parent, state = carried(ask.trace)
        request.items.add(
            group=ask.group,
            key=ask.key,
            traceparent=parent,
            tracestate=state,
            demand=_FROM_DEMAND.get(ask.demand, pb.DEMAND_ANY),
        )
    return request


def demand_of(item: pb.Item) -> Demand:
    """Return what `item` may be answered from; a demand that is not known is none."""
    return _TO_DEMAND.get(item.demand, Demand.ANY)


def write_outcomes(outcomes: Iterable[Outcome], *, node: str) -> Iterator[pb.BatchGetResponse]:
    """Yield `outcomes` in messages below the limit; `node` answered where a value doesn't say.

    One is made when the one before has been taken, so that large values don't pile up.
    """
    response, size = pb.BatchGetResponse(), 0
    for index, found in outcomes:
        if isinstance(found, CacheError):
            code, words, ((_, details),) = to_status(found)
            weight = 4 * len(words) + len(details) + AROUND
        else:
            who = found.node or node
            weight = len(found.data) + len(who) + AROUND
        if size and size + weight > MAX_MESSAGE_BYTES:
            yield response
            response, size = pb.BatchGetResponse(), 0
        size += weight
        outcome = response.outcomes.add()
        outcome.index = index
        if isinstance(found, CacheError):
            status = outcome.status
            status.code, status.message, status.details = code.value[0], words, details
        else:
            write_value(found, outcome.value)
            outcome.value.node = who
    if size:
        yield response


def settle(response: pb.BatchGetResponse, asks: Sequence[Ask], *, node: str) -> None:
    """Give `asks` their outcomes, in which `node` answered unless they say who did.

    Raises UnexpectedStatus where an outcome is nobody's.
    """
    for outcome in response.outcomes:
        if outcome.index >= len(asks):
            raise UnexpectedStatus("the answer is no batch's", status="INTERNAL", node=node)
        ask = asks[outcome.index]
        if outcome.WhichOneof("outcome") == "value":
            ask.settle(read_value(outcome.value, node=node))
        else:
            status = outcome.status
            code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
            details = ((DETAILS_KEY, status.details),)
            ask.settle(from_status(code, status.message, details, node=node))
