"""What a group holds and what it leaves to others, within one budget."""

import pytest
from fakes import FakeClock, FakeSource, group_of

from cache_core.settings import MIB


def test_a_share_that_is_reserved_is_taken_from_the_groups_own_entries(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, capacity="1MiB")
    assert group.reserve(0.25) == MIB // 4
    assert group.stats().cache.capacity == MIB - MIB // 4


def test_a_share_reserved_anew_replaces_the_one_before(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, capacity="1MiB")
    group.reserve(0.25)
    assert group.reserve(0.125) == MIB // 8
    assert group.stats().cache.capacity == MIB - MIB // 8
    assert group.reserve(0) == 0
    assert group.stats().cache.capacity == MIB


@pytest.mark.parametrize("share", [0.125, 0.95, 0.999])
def test_what_is_reserved_and_what_a_group_holds_never_exceed_its_budget(
    clock: FakeClock, share: float
) -> None:
    settings = {"capacity": "1MiB", "negative_ttl": 5, "stale_if_error": 5}
    group = group_of(FakeSource(), clock, **settings)
    small = 2 * (MIB // 20)
    reserved = group.reserve(share)
    assert reserved == min(int(MIB * share), MIB - small)
    assert group.stats().cache.capacity + reserved + small == MIB


async def test_a_group_in_use_makes_room_for_what_is_reserved(clock: FakeClock) -> None:
    source = FakeSource({str(number): bytes(1000) for number in range(1000)})
    group = group_of(source, clock, capacity="1MiB")
    for key in source.values:
        await group.get(key)
    reserved = group.reserve(0.5)
    for key in source.values:
        await group.get(key)
        assert group.stats().cache.bytes + reserved <= MIB
    assert group.stats().cache.entries > 300
