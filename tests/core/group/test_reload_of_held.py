"""What was held, tiered or handed over before a reload is answered by the settings of now."""

from math import inf

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, group_of

from cache_core import SourceUnavailable, Value
from cache_core.value import Terms


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({"Tom": b"630"})


@pytest.mark.parametrize("before", ["stale_if_error", "stale_while_revalidate"])
async def test_a_grace_that_is_no_more_answers_nothing(
    source: FakeSource, clock: FakeClock, before: str
) -> None:
    group = group_of(source, clock, ttl=10, **{before: 600})
    await group.get("Tom")
    await group.follow(group_of(source, clock, ttl=10))
    source.error = ConnectionRefusedError()
    clock.tick(11)
    with pytest.raises(SourceUnavailable):
        await group.get("Tom")


async def test_a_media_type_that_is_new_holds_for_values_that_have_their_sources(
    source: FakeSource, clock: FakeClock
) -> None:
    source.values["Tom"] = Value(b"630", terms=Terms(content_type="image/png"))
    group = group_of(source, clock)
    await group.get("Tom")
    await group.follow(group_of(source, clock, content_type="text/plain"))
    assert (await group.get("Tom")).terms.content_type == "text/plain"
    await group.follow(group_of(source, clock))
    assert (await group.get("Tom")).terms.content_type == "image/png"


async def test_with_a_first_ttl_what_the_tier_has_for_ever_ends(
    source: FakeSource, clock: FakeClock
) -> None:
    tier = FakeTier(clock)
    await group_at(source, tier, clock, ttl=None).get("Tom")
    clock.tick(40)
    group = group_at(source, tier, clock, ttl=60)
    assert (await group.get("Tom")).ttl == 20
    source.values["Tom"] = b"631"
    clock.tick(20)
    assert (await group.get("Tom")).data == b"631"


async def test_what_another_node_has_for_ever_is_taken_over_for_the_rest_of_the_ttl(
    source: FakeSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=60)
    assert group.put("Tom", Value(b"630", None, 40))
    assert (await group.get("Tom")).ttl == 20
    assert not group.put("Jack", Value(b"589", None, 60))


@pytest.mark.parametrize("giver_ttl", [3600, inf])
async def test_what_a_node_with_a_longer_ttl_hands_over_is_fresh_for_the_rest_of_the_shorter(
    source: FakeSource, clock: FakeClock, giver_ttl: float
) -> None:
    group = group_of(source, clock, ttl=60)
    assert group.put("Tom", Value(b"630", 3500, 40), giver_ttl=giver_ttl)
    assert (await group.get("Tom")).ttl == 20
    assert group.put("Sam", Value(b"567", 5, 40), giver_ttl=giver_ttl)
    assert (await group.get("Sam")).ttl == 5
    assert not group.put("Jack", Value(b"589", 3500, 60), giver_ttl=giver_ttl)


@pytest.mark.parametrize("giver_ttl", [60, 30, None])
async def test_a_ttl_of_the_sources_own_stays_where_the_groups_was_not_longer(
    source: FakeSource, clock: FakeClock, giver_ttl: float | None
) -> None:
    group = group_of(source, clock, ttl=60)
    assert group.put("Tom", Value(b"630", 3500, 40), giver_ttl=giver_ttl)
    assert (await group.get("Tom")).ttl == 3500


@pytest.mark.parametrize(("ttl", "giver_ttl"), [(None, inf), (3500, 3600)])
def test_what_comes_under_a_ttl_only_now_does_not_all_expire_at_once(
    source: FakeSource, clock: FakeClock, ttl: float | None, giver_ttl: float
) -> None:
    group = group_of(source, clock, ttl=100, jitter=0.2)
    for number in range(100):
        assert group.put(str(number), Value(b"", ttl, 50), giver_ttl=giver_ttl)
    left = [value.ttl for number in range(100) if (value := group.peek(str(number)))]
    assert len(set(left)) == 100
    assert all(ttl is not None and 40 < ttl <= 50 for ttl in left)
