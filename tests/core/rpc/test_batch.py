"""Many keys in one call, asked of a participant over real connections."""

import asyncio
from collections.abc import Mapping

import grpc
import pytest
from fake_participant import (
    FakeParticipant,
    Found,
    ask,
    channel_to,
    connected,
    hit,
    outcomes,
    serving,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_peer import got

from cache_core import (
    Answer,
    CacheError,
    PeerUnavailable,
    Terms,
    UnexpectedStatus,
    Value,
    ValueTooLarge,
)
from cache_core.errors import DeadlineExceeded, InvalidKey, KeyRequired, NotFound, UnknownGroup
from cache_core.rpc.wire.limits import MAX_VALUE_BYTES
from cache_core.rpc.wire.status import ERROR_OF_REASON
from cache_core.trace import Trace

pytestmark = pytest.mark.usefixtures("engine", "channel")

MIB = 1024 * 1024

words = st.text(max_size=40) | st.integers(1000, 1100).map(lambda size: "é" * size)
nodes = st.none() | st.sampled_from(["other.example:8080", "[::1]:9"])
seconds = st.floats(-1e9, 1e9).map(lambda exact: round(exact, 3))
lengths = st.just(0.0) | seconds.map(abs)
founds = (
    st.builds(
        Value,
        st.binary(max_size=100) | st.just(bytes(MAX_VALUE_BYTES + 1)),
        st.none() | seconds,
        seconds.map(abs),
        st.sampled_from(Answer),
        nodes,
        st.builds(Terms, lengths, lengths, st.sampled_from(["", "a/b", r'a/b; c="; \\ \" d=1"'])),
        st.booleans(),
        copied=st.booleans(),
    )
    | st.builds(
        lambda kind, said, node: kind(said, node=node),
        st.sampled_from(list(ERROR_OF_REASON.values())),
        words,
        nodes,
    )
    | st.builds(
        lambda said, node, ttl: NotFound(said, node=node, ttl=ttl),
        words,
        nodes,
        st.none() | lengths,
    )
    | st.builds(
        lambda said, status, node: UnexpectedStatus(said, status=status, node=node),
        words,
        st.sampled_from([code.name for code in grpc.StatusCode]),
        nodes,
    )
)
names = st.text(st.characters(codec="utf-8"), max_size=20) | st.just("\ud800")


def told(found: Found) -> tuple[object, ...]:
    """All that an outcome says."""
    if isinstance(found, Value):
        return found
    ttl = found.ttl if isinstance(found, NotFound) else None
    return type(found), found.message, found.status, found.retry_after, found.node, ttl


some = st.dictionaries(names, founds, max_size=6)

shared = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""All examples of a test go over the one channel that its fixture chooses."""


@settings(shared, max_examples=10)
@given(some, some)
async def test_a_batch_and_single_gets_agree_on_every_outcome(
    held: Mapping[str, Found], source: Mapping[str, Found]
) -> None:
    await check_that_they_agree(held, source)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(shared, max_examples=300)
@given(some, some)
async def test_a_batch_and_single_gets_agree_on_many_outcomes(
    held: Mapping[str, Found], source: Mapping[str, Found]
) -> None:
    await check_that_they_agree(held, source)


async def check_that_they_agree(held: Mapping[str, Found], source: Mapping[str, Found]) -> None:
    participant = FakeParticipant(held, source)
    keys = [("g", key) for key in (*held, *source, "")] + [("none", "k"), ("nöne", "")]
    async with connected(participant) as channel:
        single = [(await outcomes(channel, [ask(key, group=group)]))[0] for group, key in keys]
        batch = await outcomes(channel, [ask(key, group=group) for group, key in keys])
    assert [told(found) for found in batch] == [told(found) for found in single]


async def test_outcomes_keep_kind_words_freshness_and_node() -> None:
    stale = Value(b"", -1.25, 61.25, Answer.STALE, "owner.example:8080", copied=True)
    missing = NotFound("Tim not exist", node="owner.example:8080")
    participant = FakeParticipant(
        {"Tom": hit(), "big": Value(bytes(MAX_VALUE_BYTES + 1))}, {"Sam": stale, "Tim": missing}
    )
    async with serving(participant) as address, channel_to(address) as channel:
        asks = [ask(key) for key in ("Tom", "Tim", "", "\udcff", "big", "Sam")]
        found = await outcomes(channel, [*asks, ask("Tom", group="none")])
    here = str(address)
    size = "the value has 4194305 bytes, the limit is 4194304"
    assert [told(one) for one in found] == [
        hit()._replace(node=participant.name),
        told(missing),
        told(KeyRequired(node=here)),
        told(InvalidKey()),
        told(ValueTooLarge(size, node=here)),
        stale,
        told(UnknownGroup(node=here)),
    ]


async def test_64_values_of_a_mebibyte_come_in_one_batch() -> None:
    values = {str(n): Value(bytes([n]) * MIB) for n in range(64)}
    participant = FakeParticipant({key: values[key] for key in list(values)[::2]}, values)
    async with connected(participant) as channel:
        found = await outcomes(channel, [ask(key) for key in values])
    loaded = [one.data for one in found if isinstance(one, Value)]
    assert loaded == [value.data for value in values.values()]


async def test_a_slow_key_does_not_hold_up_the_others_of_its_batch() -> None:
    participant = FakeParticipant({"hit": hit()}, {"slow": Value(b"s"), "quick": Value(b"q")})
    participant.gates["slow"] = asyncio.Event()
    async with connected(participant) as channel:
        asks = [ask(key) for key in ("slow", "hit", "quick")]
        getting = asyncio.create_task(got(channel, asks, ring=0, timeout=30))
        assert (await asks[1].outcome).data == b"630"
        assert (await asks[2].outcome).data == b"q"
        assert not asks[0].outcome.done()
        participant.gates["slow"].set()
        await getting
        assert (await asks[0].outcome).data == b"s"


async def test_a_cancelled_batch_cancels_its_loads() -> None:
    participant = FakeParticipant({}, {"a": hit(), "b": hit()})
    participant.gates = dict.fromkeys("ab", asyncio.Event())
    async with connected(participant) as channel:
        asks = [ask("a"), ask("b")]
        getting = asyncio.create_task(got(channel, asks, ring=0, timeout=30))
        assert {await participant.loading.get() for _ in "ab"} == {"a", "b"}
        getting.cancel()
        assert {await participant.cancelled.get() for _ in "ab"} == {"a", "b"}
        with pytest.raises(asyncio.CancelledError):
            await getting


async def test_a_batch_ends_at_its_deadline_and_its_loads_with_it() -> None:
    participant = FakeParticipant({"hit": hit()}, {"slow": hit()})
    participant.gates["slow"] = asyncio.Event()
    async with connected(participant) as channel:
        answered, late = await outcomes(channel, [ask("hit"), ask("slow")], timeout=0.2)
        assert await participant.cancelled.get() == "slow"
    assert isinstance(answered, Value)
    assert isinstance(late, DeadlineExceeded)


async def test_a_batch_whose_channel_is_closed_is_unavailable() -> None:
    participant = FakeParticipant({}, {"a": hit(), "b": hit()})
    participant.gates = dict.fromkeys("ab", asyncio.Event())
    async with connected(participant) as channel:
        getting = asyncio.create_task(got(channel, [ask("a"), ask("b")], ring=0, timeout=30))
        await participant.loading.get()
        await channel.aclose()
        with pytest.raises(PeerUnavailable, match="the connection to node"):
            await getting
        for keys in ("a", "ab"):
            with pytest.raises(PeerUnavailable, match="the connection to node"):
                await got(channel, [ask(key) for key in keys], ring=0, timeout=30)


async def test_each_key_runs_in_its_own_trace_and_the_call_tells_ring_and_forwarding() -> None:
    participant = FakeParticipant({"hit": hit()}, {"miss": hit(), "lone": hit()})
    traced = {
        key: Trace(f"00-{n:032x}-{n:016x}-01", f"v={key}")
        for n, key in enumerate(["hit", "miss", "lone"], 1)
    }
    async with connected(participant) as channel:
        asks = [ask(key, forwarded=True, trace=traced[key]) for key in ("hit", "miss")]
        await outcomes(channel, asks, ring=2**64 - 1)
        await outcomes(channel, [ask("lone", forwarded=True, trace=traced["lone"])], ring=7)
        await outcomes(channel, [ask("hit")])
    assert participant.asked == [
        *(("hit", True, traced["hit"]), ("miss", True, traced["miss"])),
        *(("miss", True, traced["miss"]), ("lone", True, traced["lone"])),
        *(("lone", True, traced["lone"]), ("hit", False, Trace())),
    ]
    assert participant.rings == [2**64 - 1, 7, 0]


@pytest.mark.parametrize("trace", [Trace("é"), Trace("\0"), Trace("0" * 9000), Trace("", "a=b")])
async def test_a_trace_that_no_header_carries_does_not_fail_the_call(trace: Trace) -> None:
    participant = FakeParticipant({"hit": hit()})
    async with connected(participant) as channel:
        asks = [ask("hit", trace=trace), ask("hit", trace=Trace("00-ab", "s" * 9000))]
        assert all(isinstance(found, Value) for found in await outcomes(channel, asks[:1]))
        assert all(isinstance(found, Value) for found in await outcomes(channel, asks))
    assert [seen for _, _, seen in participant.asked] == [Trace(), Trace(), Trace("00-ab")]


def test_no_error_is_left_out_of_the_property() -> None:
    assert {*ERROR_OF_REASON.values(), UnexpectedStatus} == set(_kinds(CacheError))


def _kinds(kind: type[CacheError]) -> list[type[CacheError]]:
    below = [each for direct in kind.__subclasses__() for each in _kinds(direct)]
    return below if kind is CacheError else [kind, *below]
