"""Which calls a client makes for a batch, and what it makes of a node that answers in part."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from fake_participant import AnyChannel, FakeParticipant, ask, channel_to, hit, outcomes
from task_peer import got

from cache_core import UnexpectedStatus, Value
from cache_core.address import Address
from cache_core.pb.cluster_pb2 import BatchGetRequest, BatchGetResponse
from cache_core.rpc.engine import GrpcEngine
from cache_core.rpc.engine_choice import choose_engine
from cache_core.rpc.service import BadRequest, Service
from cache_core.rpc.wire.batch import Make
from cache_core.rpc.wire.metadata import Caller

pytestmark = pytest.mark.usefixtures("engine")

HELD = {key: hit() for key in "abc"}
LOADED = {key: Value(b"new") for key in "xyz"}


class FollowedService(Service):
    """Notes the calls that it gets; it may answer no stream, or refuse batches."""

    def __init__(self, *, is_mute: bool = False, refuses: bool = False) -> None:
        super().__init__(FakeParticipant(HELD, LOADED))
        self.calls: list[str] = []
        self.knows_batches = True
        self._is_mute = is_mute
        self._refuses = refuses

    def get(self, group: str, key: str, caller: Caller) -> Value | Coroutine[None, None, Value]:
        self.calls.append("get")
        return super().get(group, key, caller)

    def batch_peek(self, request: BatchGetRequest) -> BatchGetResponse:
        self.calls.append("peek")
        if not self.knows_batches:
            raise UnexpectedStatus("what is a batch?", status="UNIMPLEMENTED")
        if self._refuses:
            raise BadRequest("not today")
        return super().batch_peek(request)

    async def batch_get(
        self,
        request: BatchGetRequest,
        send: Callable[[Make], Awaitable[None]],
        hold: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.calls.append("stream")
        if not self._is_mute:
            await super().batch_get(request, send, hold)


@asynccontextmanager
async def asking(service: Service) -> AsyncIterator[AnyChannel]:
    server = choose_engine(GrpcEngine.AUTO)(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(service)
    try:
        async with channel_to(address) as channel:
            yield channel
    finally:
        await server.stop(5)


async def test_a_peek_is_spared_after_misses_and_tried_again_after_hits() -> None:
    service = FollowedService()
    said = []
    async with asking(service) as channel:
        for keys in ("ab", "xyc", "xyz", "abc", "abc"):
            await outcomes(channel, [ask(key) for key in keys])
            said.append(service.calls[:])
            service.calls.clear()
    assert said == [["peek"], ["peek", "stream"], ["stream"], ["stream"], ["peek"]]


async def test_a_key_that_a_node_leaves_out_of_its_answer_is_an_error() -> None:
    service = FollowedService(is_mute=True)
    async with asking(service) as channel:
        held, left_out = await outcomes(channel, [ask("a"), ask("x")])
    assert held == HELD["a"]._replace(node="node.example:8080")
    assert isinstance(left_out, UnexpectedStatus)
    assert left_out.message == "the answer is no BatchGetResponse"


async def test_a_batch_that_is_refused_is_not_asked_for_key_by_key() -> None:
    service = FollowedService(refuses=True)
    async with asking(service) as channel:
        with pytest.raises(UnexpectedStatus, match="not today"):
            await got(channel, [ask("a"), ask("b")], ring=0, timeout=30)
    assert service.calls == ["peek"]


async def test_a_node_that_knew_no_batches_is_asked_for_one_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = FollowedService()
    async with asking(service) as channel:
        service.knows_batches = False
        await outcomes(channel, [ask("a"), ask("b")])
        service.knows_batches = True
        await outcomes(channel, [ask("a"), ask("b")])
        assert service.calls == ["peek", *["get"] * 4]
        service.calls.clear()
    monkeypatch.setattr("cache_core.rpc.asks.NO_BATCHES_SECONDS", 0.0)
    async with asking(service) as channel:
        service.knows_batches = False
        await outcomes(channel, [ask("a"), ask("b")])
        service.knows_batches = True
        await outcomes(channel, [ask("a"), ask("b")])
    assert service.calls == ["peek", "get", "get", "peek"]
