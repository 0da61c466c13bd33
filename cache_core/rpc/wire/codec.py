"""The core's records as protobuf messages, both directions: one row for each method."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

from google.protobuf.message import Message as Protobuf

from cache_core.address import Address
from cache_core.errors import KeyRequired
from cache_core.messages import (
    Describe,
    Handed,
    HandOver,
    Message,
    Notice,
    Probe,
    Probed,
    Removal,
    RemovedHere,
    RemoveEverywhere,
    RemoveHere,
    TakeOver,
)
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.wire.figures import read_node, write_node
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES
from cache_core.rpc.wire.values import length, read_value, write_value

M = TypeVar("M", bound=Message[Any])
A = TypeVar("A")
Q = TypeVar("Q", bound=Protobuf)
R = TypeVar("R", bound=Protobuf)


@dataclass(frozen=True, slots=True)
class Row(Generic[M, A, Q, R]):
    """How one kind of message and its answer travel in the unary call `method`.

    `read` is also told how many seconds the call has left, None for no deadline. `read` and
    `read_answer` raise InvalidAddress where the address of a node is malformed.
    """

    method: str
    request: type[Q]
    response: type[R]
    write: Callable[[M], Q]
    read: Callable[[Q, float | None], M]
    write_answer: Callable[[A], R]
    read_answer: Callable[[R], A]


def write_notice(notice: Notice) -> pb.Notice:
    """Return `notice` as a message."""
    return pb.Notice(
        watcher=notice.watcher,
        sequence=notice.sequence,
        items=_write_items(notice.items),
        silence=notice.silence,
        elapsed=notice.elapsed,
    )


def read_notice(said: pb.Notice) -> Notice:
    """Return the notice in the message `said`."""
    return Notice(
        said.watcher,
        said.sequence,
        _read_items(said.items),
        length(said.silence),
        length(said.elapsed),
    )


def write_handed(entries: tuple[Handed, ...]) -> Iterator[Callable[[], pb.HandOverResponse]]:
    """Yield what makes the messages of `entries`, each once; skip entries too large for one.

    A message has MAX_MESSAGE_BYTES at the most. It should not be made before it can be sent.
    """
    part, size = list[Handed](), 0
    for entry in entries:
        weight = _write_handed(entry).ByteSize() + 16
        if weight > MAX_MESSAGE_BYTES:
            continue
        if size + weight > MAX_MESSAGE_BYTES:
            yield partial(pb.HandOverResponse, entries=map(_write_handed, part))
            part, size = [], 0
        part.append(entry)
        size += weight
    if part:
        yield partial(pb.HandOverResponse, entries=map(_write_handed, part))


def read_handed(response: pb.HandOverResponse) -> Iterator[Handed]:
    """Yield the entries of `response`."""
    for handed in response.entries:
        value = read_value(handed.value)._replace(version=handed.version)
        group_ttl = handed.group_ttl if handed.HasField("group_ttl") else None
        yield Handed(handed.group, handed.key, value, group_ttl)


def write_hand_over(message: HandOver) -> pb.HandOverRequest:
    """Return `message` as a request; the answer to it is the stream that `write_handed` makes."""
    return pb.HandOverRequest(node=message.node)


def read_hand_over(request: pb.HandOverRequest) -> HandOver:
    """Return the message in `request`. Raises InvalidAddress."""
    return HandOver(_node(request.node))


def row_of(message: Message[A]) -> Row[Message[A], A, Any, Any]:
    """Return the row for `message`, which may be any message but a HandOver."""
    if isinstance(message, RemoveEverywhere):
        row: Row[Any, Any, Any, Any] = FLUSH if message.what.key is None else REMOVE
    else:
        row = _ROW_OF[type(message)]
    return cast("Row[Message[A], A, Any, Any]", row)


def _write_handed(entry: Handed) -> pb.Handed:
    group, key, value, group_ttl = entry
    handed = pb.Handed(group=group, key=key, version=value.version, group_ttl=group_ttl)
    write_value(value, handed.value)
    return handed


def _write_items(items: Iterable[Removal]) -> list[pb.Invalidation]:
    return [pb.Invalidation(group=item.group, key=item.key) for item in items]


def _read_items(items: Iterable[pb.Invalidation]) -> tuple[Removal, ...]:
    return tuple(Removal(item.group, item.key if item.HasField("key") else None) for item in items)


def _node(name: str) -> str:
    """Return the address `name` in its one spelling. Raises InvalidAddress."""
    return str(Address.parse(name))


def _nodes(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_node, names))


def _read_remove(request: pb.RemoveRequest, left: float | None) -> RemoveEverywhere:
    if not request.key:
        raise KeyRequired
    return RemoveEverywhere(Removal(request.group, request.key), left)


REMOVE: Final[Row[RemoveEverywhere, tuple[str, ...], pb.RemoveRequest, pb.RemoveResponse]] = Row(
    "Remove",
    pb.RemoveRequest,
    pb.RemoveResponse,
    lambda drop: pb.RemoveRequest(group=drop.what.group, key=drop.what.key or ""),
    _read_remove,
    lambda unreached: pb.RemoveResponse(unreached=unreached),
    lambda response: tuple(response.unreached),
)
FLUSH: Final[Row[RemoveEverywhere, tuple[str, ...], pb.FlushRequest, pb.FlushResponse]] = Row(
    "Flush",
    pb.FlushRequest,
    pb.FlushResponse,
    lambda drop: pb.FlushRequest(group=drop.what.group),
    lambda request, left: RemoveEverywhere(Removal(request.group), left),
    lambda unreached: pb.FlushResponse(unreached=unreached),
    lambda response: tuple(response.unreached),
)
INVALIDATE: Final[Row[RemoveHere, RemovedHere, pb.InvalidateRequest, pb.InvalidateResponse]] = Row(
    "Invalidate",
    pb.InvalidateRequest,
    pb.InvalidateResponse,
    lambda told: pb.InvalidateRequest(
        items=_write_items(told.items), last_round=told.last_round, unreached=told.unreached
    ),
    lambda request, left: RemoveHere(
        _read_items(request.items), request.last_round, _nodes(request.unreached), left
    ),
    lambda answer: pb.InvalidateResponse(unreached_watchers=answer.unreached, nodes=answer.nodes),
    lambda response: RemovedHere(tuple(response.unreached_watchers), _nodes(response.nodes)),
)
PROBE: Final[Row[Probe, Probed, pb.ProbeRequest, pb.ProbeResponse]] = Row(
    "Probe",
    pb.ProbeRequest,
    pb.ProbeResponse,
    lambda probe: pb.ProbeRequest(
        node=probe.node or "", ring=probe.ring, missed=_write_items(probe.missed)
    ),
    lambda request, _: Probe(
        _node(request.node) if request.node else None, request.ring, _read_items(request.missed)
    ),
    lambda probed: pb.ProbeResponse(
        draining=probed.draining,
        ring=probed.ring,
        missed=_write_items(probed.missed),
        behind=probed.have_missed,
        nodes=probed.nodes,
    ),
    lambda response: Probed(
        response.draining,
        response.ring,
        _read_items(response.missed),
        _nodes(response.behind),
        _nodes(response.nodes),
    ),
)
TAKE_OVER: Final[Row[TakeOver, int, pb.TakeOverRequest, pb.TakeOverResponse]] = Row(
    "TakeOver",
    pb.TakeOverRequest,
    pb.TakeOverResponse,
    lambda message: pb.TakeOverRequest(node=message.node),
    lambda request, _: TakeOver(_node(request.node)),
    lambda entries: pb.TakeOverResponse(entries=entries),
    lambda response: response.entries,
)
DESCRIBE: Final = Row(
    "Describe",
    pb.DescribeRequest,
    pb.DescribeResponse,
    lambda _: pb.DescribeRequest(),
    lambda _, __: Describe(),
    write_node,
    read_node,
)

ROWS: Final[tuple[Row[Any, Any, Any, Any], ...]] = (
    REMOVE,
    FLUSH,
    INVALIDATE,
    PROBE,
    TAKE_OVER,
    DESCRIBE,
)
_ROW_OF: Final[dict[type[Message[Any]], Row[Any, Any, Any, Any]]] = {
    RemoveHere: INVALIDATE,
    Probe: PROBE,
    TakeOver: TAKE_OVER,
    Describe: DESCRIBE,
}
