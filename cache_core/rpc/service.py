"""The calls of a node as plain functions from message to message. Knows no gRPC."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from functools import partial
from typing import Final, Protocol, TypeVar

from cache_core.cluster.watchers import Watchers
from cache_core.errors import CacheError, PeerUnavailable, ValueTooLarge
from cache_core.events import Hook, Received, wants
from cache_core.messages import Message, Notice
from cache_core.pb.cluster_pb2 import BatchGetRequest, BatchGetResponse
from cache_core.rpc.wire.batch import Item, ItemOutcome, Make, read_batch, write_outcomes
from cache_core.rpc.wire.limits import MAX_BATCH_ITEMS, MAX_VALUE_BYTES
from cache_core.rpc.wire.metadata import Caller
from cache_core.trace import Trace, current_trace
from cache_core.value import Demand, Value

A = TypeVar("A")

DRAINING: Final = "the node is draining"


class ServedKeys(Protocol):
    """The keys of a node, as the service asks for them."""

    def peek(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value | None:
        """Return the fresh value held for `key`, at once; None where `get` has to be asked.

        Raises CacheError.
        """

    async def get(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value:
        """Return the key's value as `demand` asks. Raises CacheError."""

    def note_ring(self, version: int) -> None:
        """Take note of the ring version of a call's sender; 0 stands for no ring."""


class ServedNode(ServedKeys, Protocol):
    """A node without its sockets."""

    name: str
    """Its address, as members know it."""

    watchers: Watchers

    async def receive(self, message: Message[A]) -> A:
        """Return the answer to `message`. Raises CacheError."""


class BadRequest(Exception):
    """The request is malformed or too large; the error's text is fit for the client's eyes."""


LOAD_BYTES: Final = 3_500
"""What a load takes that is under way for a batch."""


class Service:
    """The calls that `participant` answers, the same for every engine.

    `hook` is told of each key that is asked for, by a Received. A SelectiveHook that passes over
    Received is told of none.
    """

    def __init__(self, participant: ServedNode, hook: Hook | None = None) -> None:
        self.participant = participant
        self._hook = hook if wants(hook, Received) else None
        self._draining = False

    def drain(self) -> None:
        """Refuse every get and watcher from now on with PeerUnavailable, and end all watchers.

        Messages are still answered, because a removal also concerns the loads that run here.
        """
        self._draining = True
        self.participant.watchers.end()

    def get(self, group: str, key: str, caller: Caller) -> Value | Coroutine[None, None, Value]:
        """Return the key's value at once where a fresh one is held, else a coroutine of it.

        Raises PeerUnavailable, ValueTooLarge, and the participant's errors.
        """
        # The helpers below are written out here, because every hit comes this way.
        if self._draining:
            raise PeerUnavailable(DRAINING)
        participant = self.participant
        participant.note_ring(caller.ring)
        current_trace.set(caller.trace)
        forwarded, demand = caller.forwarded, caller.demand
        if self._hook is not None:
            self._hook(Received(group, key))
        found = participant.peek(group, key, forwarded=forwarded, demand=demand)
        if found is None:
            return self._load(group, key, forwarded=forwarded, demand=demand)
        return found if len(found.data) <= MAX_VALUE_BYTES else _fit(found)

    def batch_peek(self, request: BatchGetRequest) -> BatchGetResponse:
        """Return the items' outcomes that are known at once, as many as fit into one message.

        The caller asks `batch_get` for the other items. Raises BadRequest and PeerUnavailable.
        """
        known, _ = self._peek_all(request)
        makes = write_outcomes(known, node=self.participant.name)
        return next(makes, BatchGetResponse)()

    async def batch_get(
        self,
        request: BatchGetRequest,
        send: Callable[[Make], Awaitable[None]],
        hold: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Send each item's outcome, as `get` would have it; those that are known at once go first.

        Outcomes that become known in one turn of the event loop go in one message, as far as it
        holds them; `send` makes it once there is room for it. `hold` is told how many bytes more,
        or fewer, the loads and what they have loaded take. Where this is cancelled, so are the
        loads that still run. Raises BadRequest and PeerUnavailable.
        """
        loads = _Loads(hold)
        try:
            known, unknown = self._peek_all(request)
            forwarded = request.forwarded
            for place, (group, key, demand, trace) in unknown:
                current_trace.set(trace)
                load = partial(self._load, group, key, forwarded=forwarded, demand=demand)
                loads.start(_outcome(place, load))
            while known or loads:
                for make in write_outcomes(known, node=self.participant.name):
                    await send(make)
                loads.sent()
                known = await loads.ready()
        finally:
            loads.cancel()

    def watch(self, name: str) -> AsyncGenerator[Notice, None]:
        """Return the notices of removals for the watcher `name`. Raises PeerUnavailable."""
        self._refuse_if_draining()
        return self.participant.watchers.watch(name)

    def _refuse_if_draining(self) -> None:
        if self._draining:
            raise PeerUnavailable(DRAINING)

    def _peek_all(
        self, request: BatchGetRequest
    ) -> tuple[list[ItemOutcome], list[tuple[int, Item]]]:
        """Return the outcomes that are known at once, and the items that are to be loaded.

        Both come with their places in the batch.
        """
        if len(request.keys) > MAX_BATCH_ITEMS:
            raise BadRequest(f"a batch should have at most {MAX_BATCH_ITEMS} items")
        self._refuse_if_draining()
        try:
            items = enumerate(read_batch(request))
        except ValueError as error:
            raise BadRequest(str(error)) from error
        if request.peeked:
            return [], list(items)
        self.participant.note_ring(request.ring)
        forwarded = request.forwarded
        known: list[ItemOutcome] = []
        unknown: list[tuple[int, Item]] = []
        current: Trace | None = None
        for place, item in items:
            group, key, demand, trace = item
            if trace is not current:  # to set it takes 0.3 us, and a whole hit 3 us
                current_trace.set(trace)
                current = trace
            try:
                found = self._peek(group, key, forwarded=forwarded, demand=demand)
            except CacheError as error:
                known.append((place, error))
                continue
            if found is None:
                unknown.append((place, item))
            else:
                known.append((place, found))
        return known, unknown

    def _peek(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value | None:
        if self._hook is not None:
            self._hook(Received(group, key))
        value = self.participant.peek(group, key, forwarded=forwarded, demand=demand)
        return None if value is None else _fit(value)

    async def _load(self, group: str, key: str, *, forwarded: bool, demand: Demand) -> Value:
        found = await self.participant.get(group, key, forwarded=forwarded, demand=demand)
        return _fit(found)


class _Loads:
    """The loads of a batch, each with a task and a trace of its own; `hold` as in batch_get."""

    def __init__(self, hold: Callable[[int], None]) -> None:
        self._hold = hold
        self._held = self._unsent = 0
        self._is_over = False
        self._running: set[asyncio.Task[ItemOutcome]] = set()
        self._ended: asyncio.Queue[asyncio.Task[ItemOutcome]] = asyncio.Queue()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, load: Coroutine[None, None, ItemOutcome]) -> None:
        task = asyncio.create_task(load)
        self._running.add(task)
        self._count(LOAD_BYTES)
        task.add_done_callback(self._note_end)

    async def ready(self) -> list[ItemOutcome]:
        """Wait until a load has ended, and return the outcomes of all that have.

        Where no load runs, an empty list is returned at once.
        """
        if not self._running:
            return []
        ended = [await self._ended.get()]
        while not self._ended.empty():
            ended.append(self._ended.get_nowait())
        self._running.difference_update(ended)
        self._unsent = sum(map(_size, ended))
        return [task.result() for task in ended]

    def sent(self) -> None:
        """Note that what was ready has been sent."""
        self._count(-self._unsent)
        self._unsent = 0

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()
        self._count(-self._held)
        self._is_over = True

    def _note_end(self, task: asyncio.Task[ItemOutcome]) -> None:
        self._ended.put_nowait(task)
        if not self._is_over:
            self._count(_size(task) - LOAD_BYTES)

    def _count(self, more: int) -> None:
        self._held += more
        self._hold(more)


def _size(load: asyncio.Task[ItemOutcome]) -> int:
    """Return how many bytes a load that has ended has loaded."""
    if load.cancelled() or load.exception() is not None:
        return 0
    _, found = load.result()
    return len(found.data) if isinstance(found, Value) else 0


async def _outcome(place: int, load: Callable[[], Coroutine[None, None, Value]]) -> ItemOutcome:
    try:
        return place, await load()
    except CacheError as error:
        return place, error


def _fit(value: Value) -> Value:
    size = len(value.data)
    if size > MAX_VALUE_BYTES:
        raise ValueTooLarge(f"the value has {size} bytes, the limit is {MAX_VALUE_BYTES}")
    return value
