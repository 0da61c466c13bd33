"""What nodes tell one another, over real connections."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from fake_participant import FakeParticipant, connected

from cache_core import (
    Answer,
    DeadlineExceeded,
    GroupSettings,
    InvalidKey,
    KeyRequired,
    PeerUnavailable,
    UnexpectedStatus,
    UnknownGroup,
    Value,
)
from cache_core.messages import (
    Describe,
    GroupInfo,
    Handed,
    HandOver,
    Health,
    MemberInfo,
    Message,
    NodeInfo,
    Probe,
    Probed,
    Removal,
    RemovedHere,
    RemoveEverywhere,
    RemoveHere,
    SharingStats,
    TakeOver,
)
from cache_core.rpc.wire.limits import MAX_VALUE_BYTES
from cache_core.stats import CacheStats, Cause, GroupStats

pytestmark = pytest.mark.usefixtures("engine", "channel")

TOM = Removal("scores", "Tom")
ALL = Removal("scores")
CACHE = CacheStats(1, 2, 3, {Cause.EVICTED: 0}, {Cause.EXPIRED: 5})
INFO = NodeInfo(
    node="n:1",
    draining=False,
    ring=2**64 - 1,
    members=(MemberInfo("n:1", 2, Health.UP, 0.5),),
    groups={
        "g": GroupInfo(
            GroupSettings(),
            GroupStats(1, 2, 3, 4, 5, 6, 7, 8, CACHE, CACHE),
            SharingStats(1, 2, 3, 4, CACHE),
        )
    },
    uptime=1.5,
    ring_mismatches=3,
    watchers=4,
)
SPOKEN: list[tuple[Message[Any], object]] = [
    (
        RemoveHere((TOM, ALL), last_round=True, unreached=("n:2",)),
        RemovedHere(("watcher w",), ("n:3",)),
    ),
    (Probe("n:1", 5, (TOM,)), Probed(draining=True, ring=2**64 - 1, missed=(ALL,))),
    (Probe(None, 0), Probed(draining=False, ring=0)),
    (TakeOver("n:1"), 7),
    (HandOver("n:1"), (Handed("g", "k", Value(b"v", 1.5, 2.5, Answer.HIT)),)),
    (HandOver("n:1"), ()),
    (Describe(), INFO),
]


@pytest.mark.parametrize(("message", "answer"), SPOKEN)
async def test_a_message_arrives_and_its_answer_comes_back(
    message: Message[Any], answer: object
) -> None:
    participant = FakeParticipant()
    participant.answers[type(message)] = answer
    async with connected(participant) as channel:
        assert await channel.send(message, timeout=30) == answer
    received = await participant.received.get()
    if isinstance(received, RemoveHere):
        assert received.timeout is not None
        assert 0 < received.timeout < 31  # by gRPC's own clock
        received = replace(received, timeout=None)
    assert received == message


@pytest.mark.parametrize("what", [TOM, ALL])
@pytest.mark.parametrize("timeout", [30.0, float("inf")])
async def test_a_removal_is_told_how_long_it_may_take(what: Removal, timeout: float) -> None:
    participant = FakeParticipant()
    participant.answers[RemoveEverywhere] = ("n:1", "watcher w")
    async with connected(participant) as channel:
        assert await channel.send(RemoveEverywhere(what, 5.0), timeout=timeout) == (
            "n:1",
            "watcher w",
        )
    told = await participant.received.get()
    assert isinstance(told, RemoveEverywhere)
    assert told.what == what
    if timeout == float("inf"):
        assert told.timeout is None
    else:
        assert told.timeout is not None
        assert 5 < told.timeout < timeout + 1  # by gRPC's own clock


async def test_a_removal_needs_a_key() -> None:
    async with connected(FakeParticipant()) as channel:
        with pytest.raises(KeyRequired, match="key required"):
            await channel.send(RemoveEverywhere(Removal("scores", "")), timeout=30)


@pytest.mark.parametrize(
    "message",
    [RemoveEverywhere(Removal("g", "\ud800")), RemoveHere((Removal("\ud800"),), last_round=False)],
)
async def test_text_that_utf_8_cannot_carry_is_refused(message: Message[Any]) -> None:
    async with connected(FakeParticipant()) as channel:
        with pytest.raises(InvalidKey):
            await channel.send(message, timeout=30)


@pytest.mark.parametrize("message", [RemoveEverywhere(TOM), HandOver("n:1")])
async def test_an_error_comes_back_with_its_kind_and_node(message: Message[Any]) -> None:
    participant = FakeParticipant()
    participant.answers[type(message)] = UnknownGroup(node="n:1")
    async with connected(participant) as channel:
        with pytest.raises(UnknownGroup) as caught:
            await channel.send(message, timeout=30)
    assert caught.value.node == "n:1"


@pytest.mark.parametrize("message", [Describe(), HandOver("n:1")])
async def test_a_message_ends_at_its_deadline_or_with_its_channel(
    message: Message[Any],
) -> None:
    participant = FakeParticipant()
    participant.gate.clear()
    async with connected(participant) as channel:
        with pytest.raises(DeadlineExceeded):
            await channel.send(message, timeout=0.1)
        sending = asyncio.create_task(channel.send(message, timeout=30))
        for _ in range(2):
            await participant.received.get()
        await channel.aclose()
        with pytest.raises(PeerUnavailable, match="the connection to node"):
            await sending


async def test_a_server_that_fails_a_probe_does_not_serve() -> None:
    async with connected(FakeParticipant()) as channel:
        with pytest.raises(UnexpectedStatus) as caught:  # the participant knows no answer to it
            await channel.send(Probe("n:1", 7), timeout=30)
    assert caught.value.status == "UNKNOWN"


async def test_more_than_a_message_holds_is_handed_over_in_several() -> None:
    handed = tuple(Handed("g", str(n), Value(bytes(MAX_VALUE_BYTES))) for n in range(4))
    participant = FakeParticipant()
    participant.answers[HandOver] = handed
    async with connected(participant) as channel:
        assert await channel.send(HandOver("n:1"), timeout=30) == handed
