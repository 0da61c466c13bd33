"""What a watch tells of the members, by an etcd in virtual time."""

import pytest
from cluster.fake_etcd import SERVER, FakeEtcd
from cluster.watching import following
from virtual_time import after, in_virtual_time

from cache_core.cluster.member import Member
from cache_core.membership.etcd.membership import MARGIN, TTL, EtcdMembership

A, B, C = Member("10.0.0.1:8080"), Member("10.0.0.2:8080", 3), Member("[::1]:8080")
PREFIX = "/gaocache/p"


def membership(prefix: str = PREFIX) -> EtcdMembership:
    return EtcdMembership([SERVER], prefix)


def register(etcd: FakeEtcd, *members: Member) -> None:
    """Register members that never leave, and renew no lease."""
    for member in members:
        etcd.set(f"{PREFIX}/{member.name}", b'{"weight": %d}' % member.weight)


def leave(etcd: FakeEtcd, *members: Member) -> None:
    for member in members:
        etcd.set(f"{PREFIX}/{member.name}", None)


@in_virtual_time
async def test_members_come_and_go_with_their_weights(etcd: FakeEtcd) -> None:
    node, other = membership(), membership()
    async with following(membership()) as one, following(membership()) as two:
        await after(1)
        await node.join(A)
        await other.join(B)
        await after(1)
        await node.leave()
        await after(1)
        await other.leave()
        await after(1)
        whole = [set(), {A}, {A, B}, {B}, set()]
        assert one == two == whole
        assert etcd.connections == 2
    assert etcd.connections == 0


@in_virtual_time
async def test_members_under_a_prefix_that_begins_alike_are_others(etcd: FakeEtcd) -> None:
    other = membership(PREFIX + "2")
    async with following(membership()) as seen:
        await other.join(B)
        register(etcd, A)
        await after(1)
        assert seen == [set(), {A}]
    await other.leave()


@pytest.mark.parametrize("moment", [number / 200 for number in range(16)])
def test_nobody_is_missed_who_comes_or_goes_while_the_watch_begins(
    etcd: FakeEtcd, moment: float
) -> None:
    @in_virtual_time
    async def holds() -> None:
        register(etcd, A)
        async with following(membership()) as seen:
            await after(moment)
            register(etcd, B)
            leave(etcd, A)
            await after(1)
            assert seen[-1] == {B}

    holds()


@in_virtual_time
async def test_what_changed_before_the_members_were_read_is_not_told_again(etcd: FakeEtcd) -> None:
    etcd.latency = 1.0  # it watches at the second, and reads at the third
    register(etcd, A, B)
    async with following(membership()) as seen:
        await after(2.5)
        leave(etcd, A)
        register(etcd, A)
        await after(2)
        assert seen == [{A, B}]


@in_virtual_time
async def test_members_are_not_told_anew_when_etcd_is_found_again(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture
) -> None:
    register(etcd, A, B)
    async with following(membership()) as seen:
        await after(1)
        etcd.stop()
        await after(30)
        etcd.start()
        await after(30)
        assert seen == [{A, B}]
    lost, found = (record.getMessage() for record in caplog.records)
    words = "can't be reached, the members stay as they were: the connection was lost"
    assert lost == f"etcd at {SERVER} {words}"
    assert found == f"etcd at {SERVER} is reached again"


@in_virtual_time
async def test_who_registers_anew_with_an_etcd_that_lost_its_data_was_never_gone(
    etcd: FakeEtcd,
) -> None:
    register(etcd, A, B)
    async with following(membership()) as seen:
        await after(60)
        etcd.lose_everything()
        await after(2)
        register(etcd, A)
        etcd.break_connections()
        await after(TTL)  # when the last lease that there may have been ends
        register(etcd, B)
        await after(60)
        assert seen == [{A, B}]


@in_virtual_time
async def test_who_does_not_register_anew_is_dropped_a_little_after_its_lease_would_have_ended(
    etcd: FakeEtcd,
) -> None:
    register(etcd, A, B)
    async with following(membership()) as seen:
        await after(60)
        etcd.lose_everything()
        register(etcd, A)
        await after(TTL + MARGIN - 0.5)
        assert seen == [{A, B}]
        await after(1)
        assert seen == [{A, B}, {A}]


@in_virtual_time
async def test_a_watch_that_had_to_wait_for_etcd_waits_no_longer_the_next_time(
    etcd: FakeEtcd,
) -> None:
    async with following(membership()) as seen:
        etcd.stop()
        await after(30)
        tries = len(etcd.connects)
        await after(60)
        assert 50 < len(etcd.connects) - tries < 65
        etcd.start()
        await after(10)
        etcd.break_connections()
        register(etcd, A)
        await after(0.2)
        assert seen == [set(), {A}]


@in_virtual_time
async def test_members_that_nobody_can_tell_yet_are_waited_for(etcd: FakeEtcd) -> None:
    register(etcd, A)
    etcd.stop()
    async with following(membership()) as seen:
        await after(20)
        assert seen == []
        etcd.start()
        await after(1.2)
        assert seen == [{A}]


@in_virtual_time
async def test_a_watch_that_ended_without_etcd_is_missed_by_nobody(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture
) -> None:
    shared = membership()
    async with following(shared):
        async with following(shared):
            await after(1)
            etcd.stop()
            await after(5)
        etcd.start()
        await after(5)
    lost, found = (record.getMessage() for record in caplog.records)
    assert "can't be reached" in lost
    assert "is reached again" in found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("10.0.0.9:80", b"not JSON"),
        ("10.0.0.9:80", b"\xff\xfe\xfd"),
        ("10.0.0.9:80", b'{"weight": 0}'),
        ("10.0.0.9:80", b'{"weight": 101}'),
        ("10.0.0.9:80", b'{"weight": true}'),
        ("10.0.0.9:80", b"[]"),
        ("10.0.0.9:80", b"3"),
        ("10.0.0.9:80", b"{}"),
        ("10.0.0.9:080", b'{"weight": 1}'),
        ("no address", b'{"weight": 1}'),
        ("a/10.0.0.9:80", b'{"weight": 1}'),
    ],
)
def test_what_is_no_member_is_left_out_and_told(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture, key: str, value: bytes
) -> None:
    @in_virtual_time
    async def holds() -> None:
        register(etcd, A)
        etcd.set(f"{PREFIX}/{key}", value)
        async with following(membership()) as seen:
            await after(1)
            etcd.set(f"{PREFIX}/{key}", value)
            register(etcd, B)
            await after(1)
            assert seen == [{A}, {A, B}]
        told = [record.getMessage() for record in caplog.records]
        words = f"etcd at {SERVER}: the key '{PREFIX}/{key}' is no member, it is left out"
        assert told == [words, words]

    holds()


@in_virtual_time
async def test_a_member_whose_entry_becomes_malformed_is_dropped(etcd: FakeEtcd) -> None:
    register(etcd, A, B)
    async with following(membership()) as seen:
        await after(1)
        etcd.set(f"{PREFIX}/{B.name}", b"{}")
        await after(1)
        assert seen == [{A, B}, {A}]


@in_virtual_time
async def test_a_new_weight_is_told(etcd: FakeEtcd) -> None:
    register(etcd, A)
    heavier = Member(A.name, 5)
    async with following(membership()) as seen:
        await after(1)
        register(etcd, heavier)
        await after(1)
        assert seen == [{A}, {heavier}]
