"""Records keep everything on their way into protobuf's bytes and back."""

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_core import Answer, GroupSettings, Terms, Value
from cache_core.messages import (
    Describe,
    GroupInfo,
    Handed,
    HandOver,
    Health,
    MemberInfo,
    Message,
    NodeInfo,
    Notice,
    Probe,
    Probed,
    Removal,
    RemovedHere,
    RemoveEverywhere,
    RemoveHere,
    SharingStats,
    TakeOver,
)
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.wire.codec import (
    ROWS,
    read_hand_over,
    read_handed,
    read_notice,
    row_of,
    write_hand_over,
    write_handed,
    write_notice,
)
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES, MAX_VALUE_BYTES
from cache_core.rpc.wire.values import read_value, write_value
from cache_core.stats import CacheStats, Cause, GroupStats, TierStats

text = st.text(st.characters(codec="utf-8"), max_size=20)
some_text = text.filter(bool)
counts = st.integers(0, 2**64 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
nodes = st.builds(
    "{}:{}".format, st.from_regex("[a-z]{1,9}", fullmatch=True), st.integers(0, 65535)
)
many_nodes = st.lists(nodes, max_size=4).map(tuple)
seconds = st.floats(0, 1e9)
shares = st.floats(0, 0.99)
values = st.builds(
    Value,
    st.binary(max_size=100),
    st.none() | numbers,
    seconds,
    st.sampled_from(Answer),
    st.none() | nodes,
    st.builds(Terms, seconds, seconds, text),
    st.booleans(),
    copied=st.booleans(),
)
versioned = st.builds(lambda value, version: value._replace(version=version), values, text)
removals = st.builds(Removal, text, st.none() | text)
many = st.lists(removals, max_size=4).map(tuple)
many_names = st.lists(text, max_size=4).map(tuple)
caches = st.builds(
    CacheStats,
    counts,
    counts,
    counts,
    st.dictionaries(st.sampled_from(Cause), counts),
    st.dictionaries(st.sampled_from(Cause), counts),
)
of_setting = {
    "capacity": st.integers(1, 2**60),
    "policy": st.sampled_from(["s3fifo", "lru", "lfu"]),
    "max_value": st.none() | st.integers(1, 2**31),
    "ttl": st.none() | st.floats(1e9, 2e9),
    "jitter": shares,
    "stale_while_revalidate": seconds,
    "stale_if_error": seconds,
    "negative_ttl": seconds,
    "refresh_ahead": seconds.filter(lambda ahead: ahead < 1e9),
    "load_timeout": st.floats(1e-9, 1e9),
    "load_concurrency": st.integers(1, 2**31 - 1),
    "load_queue": st.integers(0, 2**31 - 1),
    "hot_share": shares,
    "hot_ttl": seconds,
    "content_type": st.sampled_from([None, "image/png", 'text/plain; charset="utf-8"']),
    "client_reload": st.booleans(),
}
group_settings = st.fixed_dictionaries(
    {name: of_setting[name] for name in GroupSettings.model_fields}
).map(GroupSettings.model_validate)
tiers = st.none() | st.builds(TierStats, *[counts] * 4)
group_stats = st.builds(GroupStats, *[counts] * 8, caches, caches, tiers)
groups = st.builds(
    GroupInfo, group_settings, group_stats, st.builds(SharingStats, *[counts] * 4, caches)
)
members = st.builds(MemberInfo, text, st.integers(1, 100), st.sampled_from(Health), st.floats(0, 1))
node_infos = st.builds(
    NodeInfo,
    node=text,
    draining=st.booleans(),
    ring=counts,
    members=st.lists(members, max_size=3).map(tuple),
    groups=st.dictionaries(text, groups, max_size=3),
    uptime=seconds,
    ring_mismatches=counts,
    watchers=counts,
)
spoken: st.SearchStrategy[tuple[Message[Any], Any]] = st.one_of(
    st.tuples(st.builds(RemoveEverywhere, st.builds(Removal, text, some_text)), many_names),
    st.tuples(st.builds(RemoveEverywhere, st.builds(Removal, text, st.none())), many_names),
    st.tuples(
        st.builds(RemoveHere, many, st.booleans(), many_nodes),
        st.builds(RemovedHere, many_names, many_nodes),
    ),
    st.tuples(
        st.builds(Probe, st.none() | nodes, counts, many),
        st.builds(Probed, st.booleans(), counts, many, many_nodes, many_nodes),
    ),
    st.tuples(st.builds(TakeOver, nodes), counts),
    st.tuples(st.just(Describe()), node_infos),
)


@given(values)
def test_a_value_comes_back_as_it_was_but_for_what_its_source_calls_it(value: Value) -> None:
    said = pb.Value()
    write_value(value, said)
    came = read_value(pb.Value.FromString(said.SerializeToString()))
    assert came == value._replace(version="")


@settings(max_examples=100, deadline=None)
@given(spoken)
def test_a_message_and_its_answer_come_back_as_they_were(
    spoken: tuple[Message[Any], Any],
) -> None:
    message, answer = spoken
    row = row_of(message)
    request = row.request.FromString(row.write(message).SerializeToString())
    assert row.read(request, None) == message
    response = row.response.FromString(row.write_answer(answer).SerializeToString())
    assert row.read_answer(response) == answer


def test_every_method_has_one_row() -> None:
    service = pb.DESCRIPTOR.services_by_name["Cluster"]
    streams = {"BatchGet", "Watch", "HandOver"}
    assert sorted(row.method for row in ROWS) == sorted(
        {*service.methods_by_name} - streams - {"Acknowledge", "BatchPeek"}
    )


def test_a_dropping_is_told_how_long_it_may_take() -> None:
    for removal in (RemoveEverywhere(Removal("g", "k")), RemoveEverywhere(Removal("g"))):
        row = row_of(removal)
        assert row.read(row.write(removal), 1.5) == RemoveEverywhere(removal.what, 1.5)


@given(st.builds(Notice, text, counts, many, seconds, seconds))
def test_a_notice_comes_back_as_it_was(notice: Notice) -> None:
    said = pb.Notice.FromString(write_notice(notice).SerializeToString())
    assert read_notice(said) == notice


@given(
    st.lists(
        st.builds(Handed, text, text, versioned, st.none() | seconds | st.just(inf)), max_size=5
    ).map(tuple)
)
def test_what_is_handed_over_comes_back_as_it_was(entries: tuple[Handed, ...]) -> None:
    parts = [
        pb.HandOverResponse.FromString(make().SerializeToString()) for make in write_handed(entries)
    ]
    assert tuple(handed for part in parts for handed in read_handed(part)) == entries
    assert read_hand_over(write_hand_over(HandOver("n:1"))) == HandOver("n:1")


def test_what_is_handed_over_goes_in_messages_below_the_limit() -> None:
    largest = Value(bytes(MAX_VALUE_BYTES))
    none_can_carry = Handed("g", "x", Value(bytes(MAX_MESSAGE_BYTES)))
    entries = (*(Handed("g", str(n), largest) for n in range(3)), Handed("g", "k", Value(b"1")))
    parts = [make() for make in write_handed((none_can_carry, *entries))]
    assert max(part.ByteSize() for part in parts) <= MAX_MESSAGE_BYTES
    assert tuple(handed for part in parts for handed in read_handed(part)) == entries


@pytest.mark.parametrize("number", [0, 99])
def test_an_answer_of_a_later_version_is_a_miss(number: int) -> None:
    said = pb.Value.FromString(bytes([4 << 3, number]))
    assert read_value(said).answer is Answer.MISS
