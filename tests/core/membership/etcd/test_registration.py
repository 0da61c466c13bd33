"""A member's entry: made, kept, made anew and taken back, by an etcd in virtual time."""

import asyncio

import pytest
from cluster.fake_etcd import SERVER, FakeEtcd
from virtual_time import after, in_virtual_time

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.etcd.membership import TTL, EtcdMembership
from cache_core.membership.membership import MembershipError

A, B = Member("10.0.0.1:8080", 3), Member("[::1]:8080")
KEY = f"/p/{A.name}"
ENTRY = {KEY: b'{"weight": 3}'}


def membership() -> EtcdMembership:
    return EtcdMembership([SERVER], "/p")


@in_virtual_time
async def test_an_entry_is_there_from_joining_to_leaving_without_a_gap(etcd: FakeEtcd) -> None:
    node = membership()
    await node.join(A)
    assert etcd.entries == ENTRY
    await after(100)
    assert len(etcd.history) == 1
    await node.leave()
    assert etcd.entries == {}
    assert etcd.leases == {}
    assert etcd.connections == 0


@in_virtual_time
async def test_one_renewal_that_fails_loses_nothing(etcd: FakeEtcd) -> None:
    node = membership()
    await node.join(A)
    for _ in range(3):
        etcd.break_connections()
        await after(2 * TTL)
        assert all(value is not None for _, _, value in etcd.history)
    await node.leave()


@in_virtual_time
async def test_a_node_that_reaches_etcd_no_more_is_gone_with_its_lease_and_back_with_etcd(
    etcd: FakeEtcd,
) -> None:
    node = membership()
    await node.join(A)
    await after(20)
    etcd.stop()
    await after(TTL - 2)
    assert etcd.entries == ENTRY
    await after(2.5)
    assert etcd.entries == {}
    await after(60)
    etcd.start()
    await after(1.2)
    assert etcd.entries == ENTRY
    await node.leave()


@in_virtual_time
async def test_an_entry_whose_lease_was_revoked_is_made_anew_by_the_next_renewal(
    etcd: FakeEtcd,
) -> None:
    node = membership()
    await node.join(A)
    for _ in range(3):
        etcd.revoke(*etcd.leases)
        await after(TTL / 2)
        assert etcd.entries == ENTRY
    await node.leave()


@in_virtual_time
async def test_a_node_that_had_to_wait_for_etcd_waits_no_longer_the_next_time(
    etcd: FakeEtcd,
) -> None:
    node = membership()
    await node.join(A)
    for _ in range(3):
        etcd.stop()
        await after(30)
        etcd.start()
        await after(10)
        etcd.break_connections()
        failures, connects = len(etcd.failures), len(etcd.connects)
        await after(TTL)
        again, _ = etcd.connects[connects]
        assert again - etcd.failures[failures] == pytest.approx(0.1)
    await node.leave()


@in_virtual_time
async def test_etcd_is_tried_again_at_least_each_second_and_not_all_the_time(
    etcd: FakeEtcd,
) -> None:
    node = membership()
    await node.join(A)
    etcd.stop()
    await after(10)
    tries = len(etcd.connects)
    await after(60)
    assert 50 < len(etcd.connects) - tries < 65
    await node.leave()


@in_virtual_time
async def test_who_can_not_join_in_five_seconds_is_told_why_and_never_joins(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture
) -> None:
    etcd.stop()
    began = asyncio.get_running_loop().time()
    with pytest.raises(MembershipError, match=f"register in etcd at {SERVER}: connection\nrefused"):
        await membership().join(A)
    assert asyncio.get_running_loop().time() - began == pytest.approx(5, abs=0.1)
    etcd.start()
    await after(60)
    assert etcd.history == []
    assert etcd.connections == 0
    assert caplog.records == []


@in_virtual_time
async def test_who_gives_up_joining_never_joins(etcd: FakeEtcd) -> None:
    etcd.stop()
    joining = asyncio.create_task(membership().join(A))
    await after(1)
    joining.cancel()
    await asyncio.wait({joining})
    assert joining.cancelled()
    etcd.start()
    await after(60)
    assert etcd.history == []


@in_virtual_time
async def test_who_joins_waits_a_moment_for_etcd(etcd: FakeEtcd) -> None:
    etcd.stop()
    node = membership()
    joining = asyncio.create_task(node.join(A))
    await after(3)
    etcd.start()
    await joining
    assert etcd.entries == ENTRY
    await node.leave()


@in_virtual_time
async def test_leaving_takes_a_bounded_time_and_is_no_error_without_etcd(etcd: FakeEtcd) -> None:
    for is_silent in (False, True):
        node = membership()
        await node.join(A)
        etcd.stop()
        if is_silent:
            etcd.silent.add(SERVER)
            etcd.latency = 1.5
        began = asyncio.get_running_loop().time()
        await node.leave()
        assert asyncio.get_running_loop().time() - began <= 2.0
        await after(TTL)
        assert etcd.entries == {}  # at the latest with its lease
        etcd.start()


@in_virtual_time
async def test_a_slow_etcd_delays_leaving_by_two_seconds_at_most(etcd: FakeEtcd) -> None:
    node = membership()
    await node.join(A)
    etcd.latency = 1.5  # for each of two calls
    began = asyncio.get_running_loop().time()
    await node.leave()
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0)


@in_virtual_time
async def test_who_joins_as_another_is_no_longer_the_first(etcd: FakeEtcd) -> None:
    node = membership()
    await node.join(A)
    await node.join(B)
    await after(20)
    assert etcd.entries == {f"/p/{B.name}": b'{"weight": 1}'}
    await node.leave()
    await node.leave()
    assert etcd.entries == {}


@in_virtual_time
async def test_losing_and_finding_etcd_are_a_line_each_in_the_log(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture
) -> None:
    node = membership()
    await node.join(A)
    etcd.stop()
    await after(20)
    etcd.start()
    await after(5)
    lost, found = (record.getMessage() for record in caplog.records)
    words = "can't be reached, the members stay as they were: connection refused"
    assert lost == f"etcd at {SERVER} {words}"
    assert found == f"etcd at {SERVER} is reached again"
    await node.leave()


@in_virtual_time
async def test_a_registration_that_ended_without_etcd_is_missed_by_nobody(
    etcd: FakeEtcd, caplog: pytest.LogCaptureFixture
) -> None:
    node = membership()
    await node.join(A)
    etcd.stop()
    await after(10)
    await node.leave()
    etcd.start()
    await node.join(B)
    etcd.stop()
    await after(10)
    etcd.start()
    await after(5)
    words = [
        record.getMessage().split(",")[0].removeprefix("etcd at ") for record in caplog.records
    ]
    reached = [f"{SERVER} can't be reached", f"{SERVER} can't be reached"]
    assert words == [*reached, f"{SERVER} is reached again"]
    await node.leave()


@in_virtual_time
async def test_servers_are_asked_in_turn_the_first_one_first(etcd: FakeEtcd) -> None:
    servers = [Address(f"10.0.0.{number}", 2379) for number in (1, 2, 3)]
    etcd.down.update(servers[:2])
    node = EtcdMembership(servers, "/p")
    await node.join(A)
    assert etcd.entries == ENTRY
    assert [server for _, server in etcd.connects] == servers
    etcd.stop(servers[2])
    etcd.start(servers[1])
    await after(TTL)
    assert [server for _, server in etcd.connects[3:]] == servers[:2]
    assert len(etcd.history) == 2  # put twice, and never gone between
    await node.leave()


@in_virtual_time
async def test_one_silent_server_of_two_loses_no_member(etcd: FakeEtcd) -> None:
    one, two = Address("10.0.0.1", 2379), Address("10.0.0.2", 2379)
    node = EtcdMembership([one, two], "/p")
    await node.join(A)
    await after(10)
    etcd.silent.add(one)
    await after(60)
    assert all(value is not None for _, _, value in etcd.history)
    await node.leave()


@in_virtual_time
async def test_who_gives_up_joining_while_the_entry_is_made_leaves_none_behind(
    etcd: FakeEtcd,
) -> None:
    etcd.latency = 0.5
    joining = asyncio.create_task(membership().join(A))
    await after(1.2)  # a connection and a lease are there, the entry is on its way
    assert etcd.leases
    joining.cancel()
    await asyncio.wait({joining})
    assert etcd.entries == {}
    assert etcd.leases == {}
