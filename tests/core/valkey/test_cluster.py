"""A Cluster whose servers hang, are lost, join and hand slots over."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from fake_redis.cluster import FakeNode, FakeTrio
from sources.tier_calls import PATIENT, eventually

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.valkey.command import Command
from cache_core.valkey.opening import open_store
from cache_core.valkey.store import Store

KEYS = [f"k{number}" for number in range(30)]


def gets(*keys: str) -> list[Command]:
    return [Command(key, ("GET", key)) for key in keys]


@contextlib.asynccontextmanager
async def store_at(url: str, *, timeout: float = PATIENT) -> AsyncIterator[Store]:
    async with contextlib.aclosing(open_store(url, timeout=timeout, connections=4)) as store:
        yield store


def fill(fakes: FakeTrio) -> None:
    for key in KEYS:
        fakes.owner(key).data.run(b"SET", key.encode(), key.encode())


def other(fakes: FakeTrio, server: FakeNode) -> FakeNode:
    return next(each for each in fakes.servers if each is not server)


def hosts(fakes: FakeTrio) -> str:
    """A URL with all its servers."""
    _, *others = fakes.servers
    return ",".join([fakes.url, *(server.address for server in others)])


async def test_any_of_several_hosts_is_a_way_in(fakes: FakeTrio) -> None:
    fill(fakes)
    fakes.needs_all = False
    first, *_ = fakes.servers
    first.kill()
    async with store_at(hosts(fakes)) as store:
        key = next(key for key in KEYS if fakes.owner(key) is not first)
        assert await store.ask(gets(key)) == [key.encode()]


async def test_a_first_host_that_hangs_leaves_time_for_the_others(fakes: FakeTrio) -> None:
    fill(fakes)
    first, *_ = fakes.servers
    first.freeze()
    async with store_at(hosts(fakes), timeout=0.9) as store:
        key = next(key for key in KEYS if fakes.owner(key) is not first)
        for server in fakes.servers[1:]:
            server.admin.close()
        with contextlib.suppress(SourceUnavailable):  # it may look for the slots at the first
            await store.ask(gets(key))
        assert await store.ask(gets(key)) == [key.encode()]


async def test_slots_of_a_server_that_hangs_are_found_at_another_in_the_same_call(
    fakes: FakeTrio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.valkey.cluster.LOOK_EVERY", 0.0)
    fill(fakes)
    key = KEYS[0]
    source = fakes.owner(key)
    async with store_at(hosts(fakes), timeout=0.8) as store:
        assert await store.ask(gets(key)) == [key.encode()]
        with fakes.moving(key, source, other(fakes, source)):
            pass
        source.freeze()
        assert await store.ask(gets(key)) == [key.encode()]
    source.thaw()


async def test_slots_of_a_lost_server_are_found_at_another_in_the_same_call(
    fakes: FakeTrio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.valkey.cluster.LOOK_EVERY", 0.0)
    fill(fakes)
    fakes.needs_all = False
    key = KEYS[0]
    source = fakes.owner(key)
    async with store_at(hosts(fakes)) as store:
        await store.ask(gets(*KEYS))
        with fakes.moving(key, source, other(fakes, source)):
            pass
        source.kill()
        assert await store.ask(gets(key)) == [key.encode()]


async def test_a_lost_server_costs_few_looks_at_the_slots(fakes: FakeTrio) -> None:
    fakes.needs_all = False
    key = KEYS[0]
    async with store_at(fakes.url) as store:
        await store.ask(gets(*KEYS))
        fakes.owner(key).kill()

        def looks() -> int:
            return sum(server.counts["CLUSTER"] for server in fakes.servers)

        before = looks()
        for _ in range(20):
            (answer,) = await store.ask(gets(key))
            assert isinstance(answer, SourceUnavailable)
        assert looks() - before <= 3


async def test_keys_of_lost_slots_fail_alone(fakes: FakeTrio) -> None:
    fill(fakes)
    lost, *well = KEYS
    fakes.abandon(lost)
    async with store_at(fakes.url) as store:
        failure, *answers = await store.ask(gets(lost, *well))
    assert isinstance(failure, SourceUnavailable)
    assert answers == [key.encode() for key in well]


async def test_keys_of_a_lost_server_fail_alone(fakes: FakeTrio) -> None:
    fill(fakes)
    fakes.needs_all = False
    away = fakes.owner(KEYS[0])
    async with store_at(fakes.url) as store:
        await store.ask(gets(*KEYS))
        away.kill()
        answers = await store.ask(gets(*KEYS))
    for key, answer in zip(KEYS, answers, strict=True):
        if fakes.owner(key) is away:
            assert isinstance(answer, SourceUnavailable)
        else:
            assert answer == key.encode()


async def test_a_slot_is_followed_to_a_server_that_has_just_joined(fakes: FakeTrio) -> None:
    fill(fakes)
    key = KEYS[0]
    source = fakes.owner(key)
    async with store_at(fakes.url) as store:
        await store.ask(gets(key))
        joined = fakes.add_server()
        with fakes.moving(key, source, joined):
            for _ in range(5):
                assert await store.ask(gets(key)) == [key.encode()]
            assert joined.accepted == 1
        assert await store.ask(gets(key)) == [key.encode()]


async def test_nothing_stays_connected_once_it_is_closed(fakes: FakeTrio) -> None:
    async with store_at(hosts(fakes)) as store:
        await store.ask(gets(*KEYS))
    await eventually(lambda: not any(server.connections for server in fakes.servers))


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ("NOPERM User reader has no permissions to run the 'cluster|slots' command", "its user"),
        (
            "WRONGPASS invalid username-password pair or user is disabled.",
            "another user or password",
        ),
    ],
)
async def test_a_user_who_may_not_ask_for_the_slots_is_told_at_the_check(
    fakes: FakeTrio, refused: str, told: str
) -> None:
    for server in fakes.servers:
        server.refusals["CLUSTER"] = refused
    async with store_at(hosts(fakes)) as store:
        with pytest.raises(InvalidSource, match=told) as failed:
            await store.check(gets("k0"), "key")
        assert failed.value.setting == "url"


async def test_another_password_since_it_was_found_is_told_as_such(fakes: FakeTrio) -> None:
    async with store_at(fakes.url) as store:
        await store.ask(gets(*KEYS))
        for server in fakes.servers:
            server.users = {b"default": b"another"}
            server.restart()
        answers = await store.ask(gets(*KEYS))
        assert {type(answer) for answer in answers} == {RetrieverFailed}
