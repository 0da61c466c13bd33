import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import aetcd
import httpx
import pytest
from cluster.etcd import EtcdServer, etcd_at
from cluster.watching import until

from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.etcd.api import Credentials, Etcd
from cache_core.membership.etcd.membership import EtcdMembership
from cache_core.membership.membership import MembershipError

pytestmark = pytest.mark.service

A, B, C = Member("10.0.0.1:8080"), Member("10.0.0.2:8080", 3), Member("[::1]:8080")
PREFIX = "/gaocache/test"
TTL = 1


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EtcdServer]:
    async with etcd_at(tmp_path) as serving:
        yield serving


@contextlib.asynccontextmanager
async def joined(server: EtcdServer, *members: Member) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for member in members:
            node = EtcdMembership([server.address], PREFIX, ttl=TTL)
            await node.join(member)
            stack.push_async_callback(node.leave)
        yield


@contextlib.asynccontextmanager
async def watching(*servers: Address) -> AsyncGenerator[AsyncIterator[frozenset[Member]]]:
    watch = EtcdMembership(servers, PREFIX, ttl=TTL).watch()
    assert isinstance(watch, AsyncGenerator)
    async with aclosing(watch):
        yield watch


async def put(server: EtcdServer, key: str, value: bytes) -> None:
    """Register under a lease that nobody renews."""
    async with Etcd.connect(server.address, None) as etcd:
        await etcd.put(f"{PREFIX}/{key}", value, await etcd.grant(TTL))


async def test_members_see_one_another_come_and_go_with_their_weights(server: EtcdServer) -> None:
    async with watching(server.address) as one, watching(server.address) as two:
        assert await anext(one) == await anext(two) == frozenset()
        async with joined(server, A):
            assert await anext(one) == await anext(two) == {A}
            async with joined(server, B, C):
                await until(one, [A, B, C])
            await until(one, [A])
            await until(two, [A])


async def test_members_of_another_prefix_are_others(server: EtcdServer) -> None:
    other = EtcdMembership([server.address], PREFIX + "2")
    await other.join(B)
    async with joined(server, A), watching(server.address) as watch:
        assert await anext(watch) == {A}
    await other.leave()


async def test_a_member_that_leaves_is_gone_before_its_lease_ends(server: EtcdServer) -> None:
    node = EtcdMembership([server.address], PREFIX, ttl=600)
    await node.join(A)
    async with watching(server.address) as watch:
        await until(watch, [A])
        await node.leave()
        await until(watch, [])


async def test_a_member_that_vanished_is_gone_with_its_lease(server: EtcdServer) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await until(watch, [A])
        await put(server, B.name, b'{"weight": 3}')
        await until(watch, [A, B])
        await until(watch, [A])


async def test_a_member_stays_longer_than_its_lease(server: EtcdServer) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await until(watch, [A])
        await put(server, B.name, b'{"weight": 3}')
        for _ in range(2):
            assert await until(watch, [A, B]) == [{A, B}]
            assert await until(watch, [A]) == [{A}]
            await put(server, B.name, b'{"weight": 3}')


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nobody_is_dropped_while_etcd_restarts(
    server: EtcdServer, number: signal.Signals
) -> None:
    async with joined(server, A, B), watching(server.address) as watch:
        await until(watch, [A, B])
        following = asyncio.create_task(until(watch, [A, B, C]))
        await server.restart(number)
        async with joined(server, C):
            assert await following == [{A, B, C}]
        assert await until(watch, [A, B]) == [{A, B}]


async def test_members_register_anew_with_an_etcd_that_lost_its_data(server: EtcdServer) -> None:
    async with joined(server, A, B), watching(server.address) as watch:
        await until(watch, [A, B])
        following = asyncio.create_task(until(watch, [A, B, C]))
        await server.lose_everything()
        async with watching(server.address) as new:
            await until(new, [A, B])
        async with joined(server, C):
            assert await following == [{A, B, C}]


async def test_who_registers_late_with_an_etcd_that_lost_its_data_was_never_gone(
    server: EtcdServer,
) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await put(server, B.name, b'{"weight": 3}')
        await until(watch, [A, B])
        following = asyncio.create_task(until(watch, [A, B, C]))
        await server.lose_everything()
        async with watching(server.address) as new:
            await until(new, [A])
        await put(server, B.name, b'{"weight": 3}')
        async with joined(server, C):
            assert await following == [{A, B, C}]


async def test_who_does_not_register_anew_is_dropped_after_a_while(server: EtcdServer) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await put(server, B.name, b'{"weight": 3}')
        await until(watch, [A, B])
        await server.lose_everything()
        found = time.monotonic()
        assert await until(watch, [A]) == [{A}]
        assert time.monotonic() - found > TTL


async def test_a_member_whose_entry_was_taken_registers_anew(server: EtcdServer) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await until(watch, [A])
        client = aetcd.Client("127.0.0.1", server.port)
        async with client:
            entry = await client.get(f"{PREFIX}/{A.name}".encode())
            await client.revoke_lease(entry.lease)
        await until(watch, [])
        await until(watch, [A])


async def test_a_compacted_history_does_not_matter(server: EtcdServer) -> None:
    async with joined(server, A), watching(server.address) as watch:
        await until(watch, [A])
        client = aetcd.Client("127.0.0.1", server.port)
        async with client:
            last = await client.put(b"/other", b"")
            await client.compact(last.header.revision)
        await server.restart()
        async with joined(server, B):
            await until(watch, [A, B])


async def test_a_watch_waits_for_an_etcd_that_is_not_there_yet(server: EtcdServer) -> None:
    await server.kill()
    async with watching(server.address) as watch:
        first = asyncio.ensure_future(until(watch, [A]))
        await server.start()
        async with joined(server, A):
            assert {A} in await first


async def test_who_joins_without_etcd_is_told_so_in_time(server: EtcdServer) -> None:
    await server.kill()
    node = EtcdMembership([server.address], PREFIX)
    with pytest.raises(MembershipError, match=f"can't register in etcd at {server.address}: "):
        async with asyncio.timeout(10):
            await node.join(A)


async def test_who_joins_waits_a_moment_for_etcd(server: EtcdServer) -> None:
    await server.kill()
    node = EtcdMembership([server.address], PREFIX)
    joining = asyncio.create_task(node.join(A))
    await server.start()
    await joining
    await node.leave()


async def test_an_etcd_that_hangs_holds_up_nobody_who_leaves(server: EtcdServer) -> None:
    node = EtcdMembership([server.address], PREFIX)
    await node.join(A)
    with server.frozen():
        async with asyncio.timeout(10):
            await node.leave()


async def test_leaving_a_dead_etcd_is_no_error(server: EtcdServer) -> None:
    node = EtcdMembership([server.address], PREFIX)
    await node.join(A)
    await server.kill()
    await node.leave()


async def test_another_server_of_the_cluster_does_as_well(server: EtcdServer) -> None:
    dead = Address("127.0.0.1", 1)
    node = EtcdMembership([dead, server.address], PREFIX)
    await node.join(A)
    async with watching(dead, server.address) as watch:
        assert await anext(watch) == {A}
    await node.leave()


async def test_losing_and_finding_etcd_are_a_line_each_in_the_log(
    server: EtcdServer, caplog: pytest.LogCaptureFixture
) -> None:
    # With a lease that a slow machine renews in time: one that is lost is a line too.
    node = EtcdMembership([server.address], PREFIX)
    await node.join(A)
    watch = node.watch()
    assert isinstance(watch, AsyncGenerator)
    async with aclosing(watch):
        await until(watch, [A])
        await server.lose_everything()
        async with joined(server, B):
            await until(watch, [A, B])
    lost, found = (record.getMessage() for record in caplog.records if record.name == "gaocache")
    assert lost.startswith(f"etcd at {server.address} can't be reached, the members stay")
    assert found == f"etcd at {server.address} is reached again"
    await node.leave()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("10.0.0.9:80", b"not JSON"),
        ("10.0.0.9:80", b'{"weight": 0}'),
        ("10.0.0.9:80", b'{"weight": true}'),
        ("10.0.0.9:80", b"[]"),
        ("10.0.0.9:80", b"{}"),
        ("10.0.0.9:080", b'{"weight": 1}'),
        ("no address", b'{"weight": 1}'),
    ],
)
async def test_what_is_no_member_is_left_out_and_told(
    server: EtcdServer, caplog: pytest.LogCaptureFixture, key: str, value: bytes
) -> None:
    await put(server, key, value)
    async with joined(server, A), watching(server.address) as watch:
        assert await anext(watch) == {A}
    assert f"the key '{PREFIX}/{key}' is no member" in caplog.text


async def test_a_user_and_a_password_are_given_and_never_told(
    server: EtcdServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(
        base_url=f"http://{server.address}/v3/auth/", trust_env=False
    ) as api:
        for path, body in (
            ("user/add", {"name": "root", "password": "s3cret"}),
            ("user/grant", {"user": "root", "role": "root"}),
            ("enable", {}),
        ):
            (await api.post(path, json=body)).raise_for_status()
    node = EtcdMembership([server.address], PREFIX, credentials=Credentials("root", "s3cret"))
    await node.join(A)
    watch = node.watch()
    assert await anext(watch) == {A}
    await server.restart()
    other = EtcdMembership([server.address], PREFIX, credentials=Credentials("root", "s3cret"))
    await other.join(B)
    await until(watch, [A, B])
    assert isinstance(watch, AsyncGenerator)
    await watch.aclose()
    await other.leave()
    await node.leave()

    for credentials in (None, Credentials("root", "wr0ng")):
        refused = EtcdMembership([server.address], PREFIX, credentials=credentials)
        with pytest.raises(MembershipError) as caught:
            await refused.join(A)
        assert "wr0ng" not in f"{caught.value!r} {refused!r} {credentials!r}"
    assert "s3cret" not in caplog.text
