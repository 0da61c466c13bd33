from fakes import FakeClock

from cache_core.cluster.member import Member
from cache_core.membership.etcd.roll import Roll

A, B, C = Member("a:1"), Member("b:1"), Member("c:1")
GRACE = 7.0


def roll_with(clock: FakeClock, *members: Member) -> Roll:
    roll = Roll(GRACE, clock)
    roll.found({member.name: member for member in members})
    return roll


def test_members_are_those_who_are_found_put_and_not_dropped(clock: FakeClock) -> None:
    roll = roll_with(clock, A, B)
    clock.tick(GRACE)
    roll.put(C.name, C)
    roll.drop(A.name)
    roll.drop("never known")
    assert roll.members() == {B, C}


def test_who_leaves_while_the_registry_is_well_is_gone_at_once(clock: FakeClock) -> None:
    roll = roll_with(clock, A, B)
    roll.drop(A.name)
    assert roll.members() == {B}
    assert roll.settles_in() is None


def test_who_is_missing_when_the_registry_is_found_again_is_dropped_after_the_grace(
    clock: FakeClock,
) -> None:
    roll = roll_with(clock, A, B)
    roll.found({A.name: A})
    assert roll.settles_in() == GRACE
    clock.tick(GRACE - 1)
    assert roll.members() == {A, B}
    clock.tick(1)
    assert roll.members() == {A}
    assert roll.settles_in() is None


def test_who_registers_anew_in_the_grace_was_never_gone(clock: FakeClock) -> None:
    roll = roll_with(clock, A, B)
    roll.found({})
    roll.put(A.name, A)
    roll.put(B.name, B)
    assert roll.settles_in() is None
    clock.tick(GRACE)
    assert roll.members() == {A, B}


def test_a_lease_that_expires_in_the_grace_drops_nobody_before_its_end(clock: FakeClock) -> None:
    roll = roll_with(clock, A, B)
    roll.found({A.name: A, B.name: B})
    clock.tick(1)
    roll.drop(B.name)
    assert roll.members() == {A, B}
    assert roll.settles_in() == GRACE - 1


def test_a_registry_that_is_lost_again_drops_nobody(clock: FakeClock) -> None:
    roll = roll_with(clock, A, B)
    roll.found({})
    clock.tick(GRACE - 1)
    roll.found({})
    clock.tick(GRACE - 1)
    assert roll.members() == {A, B}
    clock.tick(1)
    assert roll.members() == set()


def test_a_new_weight_is_known_at_once(clock: FakeClock) -> None:
    roll = roll_with(clock, A)
    heavier = Member(A.name, 5)
    roll.found({A.name: heavier})
    assert roll.members() == {heavier}


def test_who_was_dropped_before_the_registry_is_found_again_does_not_come_back(
    clock: FakeClock,
) -> None:
    roll = roll_with(clock, A, B)
    roll.found({A.name: A, B.name: B})
    clock.tick(GRACE)
    roll.drop(B.name)
    roll.found({A.name: A})
    assert roll.members() == {A}
