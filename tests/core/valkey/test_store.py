"""A store that is asked: its connections, its database, its user, and what its check says."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from fake_redis.cluster import FakeTrio
from fake_redis.server import FakeRedis, fake_redis
from sources.tier_calls import PATIENT, eventually

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.valkey.command import Command
from cache_core.valkey.opening import open_store
from cache_core.valkey.store import Store

GET = Command("Tom", ("GET", "Tom"))
REFUSED = "NOPERM User has no permissions to run the command"
READONLY = "READONLY You can't write against a read only replica."
LOADING = "LOADING Redis is loading the dataset in memory"


@contextlib.asynccontextmanager
async def store_at(
    url: str, *, timeout: float = PATIENT, connections: int = 4
) -> AsyncIterator[Store]:
    async with contextlib.aclosing(
        open_store(url, timeout=timeout, connections=connections)
    ) as store:
        yield store


async def answer_at(url: str, command: Command = GET) -> Any:  # noqa: ANN401 - a server's own
    async with store_at(url) as store:
        (answer,) = await store.ask([command])
        return answer


async def test_no_more_asks_run_at_a_time_than_it_has_connections(fake: FakeRedis) -> None:
    fake.admin.set("Tom", b"630")
    fake.admin.close()
    await eventually(lambda: not fake.connections)
    fake.most_connections = 0
    async with store_at(fake.url, connections=2) as store:
        answers = await asyncio.gather(*(store.ask([GET]) for _ in range(20)))
    assert answers == [[b"630"]] * 20
    assert fake.most_connections <= 2


async def test_first_callers_greet_it_once_and_keep_one_connection_each(fake: FakeRedis) -> None:
    async with store_at(fake.url) as store:
        await asyncio.gather(*(store.ask([GET]) for _ in range(4)))
        assert fake.counts["HELLO"] == 1
        await eventually(lambda: len(fake.connections) <= 4)


async def test_nothing_stays_connected_once_it_is_closed(fake: FakeRedis) -> None:
    async with store_at(fake.url) as store:
        await store.ask([GET])
        assert len(fake.connections) >= 1
    await eventually(lambda: not fake.connections)


async def test_one_caller_needs_one_connection(fake: FakeRedis) -> None:
    async with store_at(fake.url) as store:
        await store.ask([GET])
        await eventually(lambda: len(fake.connections) == 1)


async def test_a_caller_who_waits_for_a_connection_waits_no_longer_than_others(
    fake: FakeRedis,
) -> None:
    timeout = 0.2
    async with store_at(fake.url, timeout=timeout, connections=1) as store:
        await store.ask([GET])
        fake.freeze()
        first, second = (asyncio.create_task(store.ask([GET])) for _ in range(2))
        await asyncio.wait({first})
        await asyncio.wait({second}, timeout=timeout / 2)
        assert second.done()
        for each in (first, second):
            with pytest.raises(SourceUnavailable, match=r"no answer in 0\.2 s"):
                await each
        fake.thaw()


async def test_the_database_of_its_url_is_asked(fake: FakeRedis) -> None:
    fake.databases[3].run(b"SET", b"Tom", b"in 3")
    assert await answer_at(f"{fake.url}/3") == b"in 3"
    assert await answer_at(fake.url) is None


async def test_its_user_is_the_urls(fake: FakeRedis, fakes: FakeTrio) -> None:
    for url, servers in ((fake.url, [fake]), (fakes.url, fakes.servers)):
        for server in servers:
            server.users = {b"me": b"pw"}
        known = f"valkey://me:pw@{url.rpartition('@')[2]}"
        assert await answer_at(known) is None
        with pytest.raises(RetrieverFailed, match="another user or password") as failed:
            await answer_at(known.replace("me:", "you:"))
        assert not isinstance(failed.value, SourceUnavailable)


async def test_tls_is_spoken_with_whom_is_trusted_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with fake_redis(tls=context) as server:
        url = server.url.replace("valkey://", "valkeys://")
        with pytest.raises(RetrieverFailed, match="SSL_CERT_FILE") as failed:
            await answer_at(url)
        assert not isinstance(failed.value, SourceUnavailable)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert await answer_at(url) is None


async def test_a_master_that_became_a_replica_is_looked_for_anew(fake: FakeRedis) -> None:
    """Its name may be another server's by now, which only a new connection finds out."""
    write = Command("Tom", ("SET", "Tom", "1"))
    async with store_at(fake.url) as store:
        await store.ask([write])
        before = fake.accepted
        fake.refusals["SET"] = READONLY
        (answer,) = await store.ask([write])
        assert isinstance(answer, SourceUnavailable)
        fake.refusals.clear()
        await store.ask([write])
        assert fake.accepted == before + 1


async def test_each_key_has_its_own_answer_after_scripts_were_forgotten(fake: FakeRedis) -> None:
    script = "return KEYS[1]"
    digest = "4a2267357833227dd98abdedb8cf24b15a986445"
    commands = [
        Command(key, ("EVALSHA", digest, 1, key), ("EVAL", script, 1, key)) for key in "abc"
    ]
    async with store_at(fake.url) as store:
        for _ in range(2):
            assert await store.ask([GET, *commands]) == [None, b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("refused", "named"), [(REFUSED, "url"), ("WRONGTYPE Operation against a key", "key")]
)
async def test_its_check_names_the_setting_that_is_at_fault(
    fake: FakeRedis, refused: str, named: str
) -> None:
    fake.refusals["GET"] = refused
    async with store_at(fake.url) as store:
        with pytest.raises(InvalidSource) as failed:
            await store.check([GET], "key")
        assert failed.value.setting == named


@pytest.mark.parametrize(
    ("word", "refused", "told"),
    [
        ("HELLO", LOADING, "still loading"),
        ("GET", LOADING, "still loading"),
        ("GET", READONLY, "is a replica"),
        ("GET", "OOM command not allowed", "no room"),
    ],
)
async def test_its_check_blames_no_setting_for_a_store_that_is_not_ready(
    fake: FakeRedis, word: str, refused: str, told: str
) -> None:
    fake.refusals[word] = refused
    async with store_at(fake.url) as store:
        with pytest.raises(SourceUnavailable, match=told):
            await store.check([GET], "key")
        fake.refusals.clear()
        await store.check([GET], "key")


async def test_its_check_refuses_a_url_that_is_for_another_kind_of_store(
    fake: FakeRedis, fakes: FakeTrio
) -> None:
    async with store_at(f"{fakes.url}/1") as store:
        with pytest.raises(InvalidSource, match="no database but 0"):
            await store.check([GET], "key")
    async with store_at(f"{fake.url},{fake.address}") as store:
        with pytest.raises(InvalidSource, match="several hosts are for a Cluster"):
            await store.check([GET], "key")


def test_a_broken_installation_is_not_told_as_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cache_core.valkey.store", None)
    with pytest.raises(ModuleNotFoundError):
        open_store("valkey://h", timeout=1, connections=1)
