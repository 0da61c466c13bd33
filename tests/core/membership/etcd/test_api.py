"""The calls to etcd, to a server that answers as the test says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import aetcd
import grpc
import pytest
from aetcd import rpc
from cluster.etcd_rpc import Context, RpcStore, serving

from cache_core.address import Address
from cache_core.membership.etcd.api import Change, Credentials, Etcd, EtcdError

LEASE = 77
PREFIX = "/p/"
SOON = 5.0
"""Seconds in which a change comes that the server has told."""


@pytest.fixture
def store() -> RpcStore:
    return RpcStore()


@pytest.fixture
async def server(store: RpcStore) -> AsyncIterator[Address]:
    async with serving(store) as address:
        yield address


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache_core.membership.etcd.api.CALL_TIMEOUT", 0.1)


class NotedClient(aetcd.Client):  # type: ignore[misc] # it has no types
    """A client that is noted while it has a connection."""

    opened: list["NotedClient"] = []  # noqa: RUF012 - each test has a list of its own
    hosts: list[str] = []  # noqa: RUF012 - likewise

    def __init__(self, host: str, *rest: object, **settings: object) -> None:
        super().__init__(host, *rest, **settings)
        self.opened.append(self)
        self.hosts.append(host)

    async def close(self) -> None:
        await super().close()
        self.opened.remove(self)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> type[NotedClient]:
    monkeypatch.setattr(NotedClient, "opened", [])
    monkeypatch.setattr(NotedClient, "hosts", [])
    monkeypatch.setattr(aetcd, "Client", NotedClient)
    return NotedClient


@asynccontextmanager
async def hanging(store: RpcStore, call: str) -> AsyncGenerator[None]:
    """Let the server never answer `call`."""
    end = asyncio.Event()

    async def before(name: str, _: object) -> None:
        if name == call:
            await end.wait()

    store.before = before
    try:
        yield
    finally:
        end.set()


async def test_a_key_is_read_with_its_value_and_the_revision_of_the_store(
    store: RpcStore, server: Address
) -> None:
    async with Etcd.connect(server, None) as etcd:
        lease = await etcd.grant(5)
        await etcd.put("/p/a:1", b"1", lease)
        await etcd.put("/p2/b:1", b"2", lease)
        assert await etcd.read(PREFIX) == (42, {"/p/a:1": b"1"})
    assert store.granted == [5]
    assert store.leases == {b"/p/a:1": LEASE, b"/p2/b:1": LEASE}
    assert store.names == []


async def test_a_key_that_is_no_text_spoils_no_other(store: RpcStore, server: Address) -> None:
    store.entries = {b"/p/\xff": b"1", b"/p/a:1": b"2"}
    event = rpc.Event(type="PUT", kv=rpc.KeyValue(key=b"/p/\xff", value=b"1", mod_revision=43))
    async with Etcd.connect(server, None) as etcd, etcd.changes(PREFIX) as changes:
        _, entries = await etcd.read(PREFIX)
        assert entries["/p/a:1"] == b"2"
        store.told.put_nowait(rpc.WatchResponse(events=[event]))
        assert await changes.next(SOON) == Change("/p/\ufffd", b"1", 43)


async def test_a_lease_is_renewed_until_it_has_expired_and_revoked(
    store: RpcStore, server: Address
) -> None:
    async with Etcd.connect(server, None) as etcd:
        await etcd.renew(LEASE)
        store.left = 0
        with pytest.raises(EtcdError, match="the lease has expired"):
            await etcd.renew(LEASE)
        await etcd.revoke(LEASE)
    assert store.revoked == [LEASE]


async def test_a_user_and_a_password_are_exchanged_for_a_token_that_goes_with_each_call(
    store: RpcStore, server: Address
) -> None:
    async with Etcd.connect(server, Credentials("root", "s3cret")) as etcd:
        store.tokens.clear()
        await etcd.grant(5)
        await etcd.read(PREFIX)
        async with etcd.changes(PREFIX):
            pass
    assert store.names == [("root", "s3cret")]
    assert store.tokens == {store.TOKEN}


async def test_every_change_under_the_prefix_is_told_in_its_order(
    store: RpcStore, server: Address
) -> None:
    puts = [
        rpc.Event(
            type="PUT",
            kv=rpc.KeyValue(
                key=b"/p/a:1", value=b"%d" % number, create_revision=1, mod_revision=50 + number
            ),
        )
        for number in range(2)
    ]
    gone = rpc.Event(type="DELETE", kv=rpc.KeyValue(key=b"/p/a:1", mod_revision=60))
    async with Etcd.connect(server, None) as etcd, etcd.changes(PREFIX) as changes:
        asked = await store.watching.get()
        assert asked.key <= b"/p/a:1" < asked.range_end <= b"/p2"
        store.told.put_nowait(rpc.WatchResponse(events=puts))
        store.told.put_nowait(rpc.WatchResponse(events=[gone]))
        assert [await changes.next(SOON) for _ in range(3)] == [
            Change("/p/a:1", b"0", 50),
            Change("/p/a:1", b"1", 51),
            Change("/p/a:1", None, 60),
        ]


async def test_a_change_that_comes_after_nobody_waited_any_more_is_not_lost(
    store: RpcStore, server: Address
) -> None:
    event = rpc.Event(type="PUT", kv=rpc.KeyValue(key=b"/p/a:1", value=b"1", mod_revision=43))
    async with Etcd.connect(server, None) as etcd, etcd.changes(PREFIX) as changes:
        for _ in range(2):
            assert await changes.next(0.01) is None
        store.told.put_nowait(rpc.WatchResponse(events=[event]))
        assert await changes.next(SOON) == Change("/p/a:1", b"1", 43)


async def test_a_watch_that_etcd_cancels_says_why(store: RpcStore, server: Address) -> None:
    async with Etcd.connect(server, None) as etcd, etcd.changes(PREFIX) as changes:
        store.told.put_nowait(rpc.WatchResponse(canceled=True, cancel_reason="no leader"))
        with pytest.raises(EtcdError, match="no leader"):
            await changes.next(SOON)


async def test_a_watch_that_is_done_with_leaves_nothing_behind_while_the_connection_stays(
    store: RpcStore, server: Address
) -> None:
    async with Etcd.connect(server, None) as etcd, asyncio.timeout(10):
        before = asyncio.all_tasks()
        async with etcd.changes(PREFIX) as changes:
            assert await changes.next(0.01) is None
            assert not store.unwatched.is_set()
        await store.unwatched.wait()
        assert {task for task in asyncio.all_tasks() - before if "Changes" in repr(task)} == set()
        await etcd.renew(LEASE)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", ["range", "put", "grant", "revoke", "keep_alive", "watch"])
async def test_an_etcd_that_hangs_is_an_error_in_time(
    store: RpcStore, server: Address, call: str
) -> None:
    async def ask(etcd: Etcd) -> None:
        match call:
            case "range":
                await etcd.read(PREFIX)
            case "put":
                await etcd.put("/p/a:1", b"1", LEASE)
            case "grant":
                await etcd.grant(5)
            case "revoke":
                await etcd.revoke(LEASE)
            case "keep_alive":
                await etcd.renew(LEASE)
            case _:
                async with etcd.changes(PREFIX):
                    pass

    async with hanging(store, call), Etcd.connect(server, None) as etcd, asyncio.timeout(10):
        with pytest.raises(EtcdError):
            await ask(etcd)


async def test_what_etcd_refuses_is_an_error_in_its_words(store: RpcStore, server: Address) -> None:
    async def refuse(_: str, context: Context) -> None:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "etcdserver: permission denied")

    store.before = refuse
    async with Etcd.connect(server, None) as etcd:
        for call in (etcd.read(PREFIX), etcd.grant(5), etcd.renew(LEASE), etcd.revoke(LEASE)):
            with pytest.raises(EtcdError, match="etcdserver: permission denied"):
                await call
        with pytest.raises(EtcdError, match="etcdserver: permission denied"):
            async with etcd.changes(PREFIX):
                pass
    with pytest.raises(EtcdError, match="etcdserver: permission denied"):
        async with Etcd.connect(server, Credentials("root", "wr0ng")):
            pass


@pytest.mark.usefixtures("store")
async def test_a_connection_is_closed_however_its_use_ended(
    server: Address, noted: type[NotedClient]
) -> None:
    async with Etcd.connect(server, None):
        assert len(noted.opened) == 1
    assert noted.opened == []
    with pytest.raises(EtcdError, match="lost"):
        async with Etcd.connect(server, None):
            raise EtcdError("lost")
    assert noted.opened == []


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_was_not_made_is_closed_too(
    store: RpcStore, server: Address, noted: type[NotedClient]
) -> None:
    async with hanging(store, "authenticate"):
        with pytest.raises(EtcdError):
            async with Etcd.connect(server, Credentials("root", "s3cret")):
                pass
    assert len(noted.hosts) == 1
    assert noted.opened == []


async def test_an_ipv6_address_is_put_in_brackets(noted: type[NotedClient]) -> None:
    for host in ("::1", "127.0.0.1", "etcd.example"):
        async with Etcd.connect(Address(host, 2379), None):
            pass
    assert noted.hosts == ["[::1]", "127.0.0.1", "etcd.example"]
