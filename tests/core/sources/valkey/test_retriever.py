"""Values straight from a real Redis, beyond what every source does alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from fakes import ALL_BYTES
from sources.redis_servers import Redis, RedisServer, RedisTrio, redis_server, redis_trio

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import BatchRetriever, CheckedRetriever, InvalidSource
from cache_core.sources import ValkeySource
from cache_core.sources.valkey.retriever import ValkeyRetriever
from cache_core.value import Value

pytestmark = pytest.mark.service

Retrieving: TypeAlias = Callable[..., ValkeyRetriever]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as started:
        started.admin.ping()  # its connection is the module's, not some test's
        yield started


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisTrio]:
    with redis_trio(tmp_path_factory.mktemp("trio")) as started:
        for each in started.servers:
            each.admin.ping()
        yield started


@pytest.fixture(scope="module", params=["server", "trio"])
def started(request: pytest.FixtureRequest) -> Redis:
    found: Redis = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def place(started: Redis) -> Iterator[Redis]:
    yield started
    for server in started.servers:
        server.admin.flushall()


@pytest.fixture
async def retrieving() -> AsyncIterator[Retrieving]:
    """Return a way to have retrievers at a URL, closed after the test."""
    async with contextlib.AsyncExitStack() as closing:

        def make(url: str, **settings: Any) -> ValkeyRetriever:  # noqa: ANN401 - of the table
            retriever = ValkeyRetriever(ValkeySource(url=url, **settings), folder=Path())
            closing.push_async_callback(retriever.aclose)
            return retriever

        yield make


def test_it_can_be_asked_for_many_and_checked() -> None:
    retriever = ValkeyRetriever(ValkeySource(url="valkey://h"), folder=Path())
    assert isinstance(retriever, BatchRetriever)
    assert isinstance(retriever, CheckedRetriever)


async def test_a_hundred_keys_are_found_together(place: Redis, retrieving: Retrieving) -> None:
    for number in range(0, 100, 2):
        place.owner(f"user:{number}").admin.set(f"user:{number}", b"%d" % number)
    retriever = retrieving(place.url, key="user:{key}")
    found = await retriever.retrieve_many([str(number) for number in range(100)])
    values = {key: value for key, value in found.items() if value is not None}
    assert values == {str(number): b"%d" % number for number in range(0, 100, 2)}


async def test_a_batch_is_one_round_trip_to_each_server(
    place: Redis, retrieving: Retrieving
) -> None:
    """Each read from a socket is one, for the commands of a batch come together."""
    keys = [f"k{number}" for number in range(100)]
    retriever = retrieving(place.url)
    await retriever.retrieve_many(keys)
    before = [server.reads() for server in place.servers]
    await retriever.retrieve_many(keys)
    reads = [server.reads() - was for server, was in zip(place.servers, before, strict=True)]
    assert max(reads) <= 3  # one of them is INFO's own


async def test_a_field_of_a_hash_a_key(place: Redis, retrieving: Retrieving) -> None:
    place.owner("user:1").admin.hset("user:1", "name", ALL_BYTES)
    retriever = retrieving(place.url, key="user:{key}", field="name")
    assert await retriever.retrieve("1") == ALL_BYTES
    assert await retriever.retrieve("2") is None
    assert await retrieving(place.url, key="user:{key}", field="age").retrieve("1") is None


async def test_a_hash_with_a_field_a_key(place: Redis, retrieving: Retrieving) -> None:
    place.owner("users").admin.hset("users", mapping={"1": b"Tom", "": b"nobody"})
    retriever = retrieving(place.url, key="users", field="{key}")
    await retriever.check()
    assert await retriever.retrieve_many(["1", "2"]) == {"1": b"Tom", "2": None}


async def test_the_keys_ttl_is_the_values_where_that_is_wanted(
    place: Redis, retrieving: Retrieving
) -> None:
    place.owner("short").admin.set("short", b"s", px=60_000)
    place.owner("long").admin.set("long", b"l")
    assert await retrieving(place.url).retrieve("short") == b"s"
    found = await retrieving(place.url, ttl_from_source=True).retrieve_many(
        ["short", "long", "none"]
    )
    short = found["short"]
    assert isinstance(short, Value)
    assert short.data == b"s"
    assert short.ttl is not None
    assert 0 < short.ttl <= 60
    assert (found["long"], found["none"]) == (b"l", None)


async def test_another_type_is_that_keys_failure_alone(
    place: Redis, retrieving: Retrieving
) -> None:
    place.owner("list").admin.lpush("list", b"x")
    place.owner("Tom").admin.set("Tom", b"630")
    retriever = retrieving(place.url)
    found = await retriever.retrieve_many(["list", "Tom"])
    assert found["Tom"] == b"630"
    with pytest.raises(RetrieverFailed, match="holds another type of value") as failed:
        await retriever.retrieve("list")
    assert not isinstance(failed.value, SourceUnavailable)
    with pytest.raises(InvalidSource, match="another type") as refused:
        await retrieving(place.url, key="list", field="{key}").check()
    assert refused.value.setting == "field"


async def test_a_database_other_than_the_first(server: RedisServer, retrieving: Retrieving) -> None:
    server.command("SWAPDB", 0, 3)
    server.admin.set("Tom", b"in 0")
    server.command("SWAPDB", 0, 3)
    assert await retrieving(f"{server.url}/3").retrieve("Tom") == b"in 0"
    assert await retrieving(server.url).retrieve("Tom") is None
    with pytest.raises(InvalidSource) as refused:
        await retrieving(f"{server.url}/99").check()
    assert refused.value.setting == "url"


async def test_a_url_that_is_not_for_what_is_there_is_refused(
    server: RedisServer, trio: RedisTrio, retrieving: Retrieving
) -> None:
    with pytest.raises(InvalidSource, match="no database but 0"):
        await retrieving(f"{trio.url}/1").check()
    with pytest.raises(InvalidSource, match="several hosts are for a Cluster"):
        await retrieving(f"{server.url},{server.address}").check()


async def test_any_host_of_several_is_a_way_into_the_cluster(
    trio: RedisTrio, retrieving: Retrieving
) -> None:
    trio.owner("Tom").admin.set("Tom", b"630")
    credentials, _, _ = trio.url.rpartition("@")
    retriever = retrieving(f"{credentials}@127.0.0.1:1,{trio.servers[2].address}")
    await retriever.check()
    assert await retriever.retrieve("Tom") == b"630"


async def test_a_user_who_may_less_is_told_at_the_check(
    server: RedisServer, retrieving: Retrieving
) -> None:
    server.command("ACL", "SETUSER", "reader", "on", ">pw", "~user:*", "+get")
    server.admin.set("user:1", b"Tom")
    url = server.url.replace("valkey://:", "valkey://reader:").replace(
        server.url.split("@")[0].rpartition(":")[2], "pw"
    )
    allowed = retrieving(url, key="user:{key}")
    await allowed.check()
    assert await allowed.retrieve("1") == b"Tom"
    with pytest.raises(InvalidSource, match="doesn't let its user") as refused:
        await retrieving(url, key="order:{key}").check()
    assert refused.value.setting == "url"


async def test_a_server_that_takes_no_more_connections_is_unavailable(
    server: RedisServer, retrieving: Retrieving
) -> None:
    _, most = server.command("CONFIG", "GET", "maxclients")
    server.admin.config_set("maxclients", 1)
    try:
        with pytest.raises(SourceUnavailable):
            await retrieving(server.url).retrieve("Tom")
    finally:
        server.command("CONFIG", "SET", "maxclients", most)


async def test_more_callers_than_connections_wait_for_one(
    place: Redis, retrieving: Retrieving
) -> None:
    place.owner("Tom").admin.set("Tom", b"630")
    retriever = retrieving(place.url, connections=2)
    found = await asyncio.gather(*(retriever.retrieve("Tom") for _ in range(200)))
    assert set(found) == {b"630"}
    for server in place.servers:
        clients = server.admin.client_list()
        assert len(clients) <= 1 + 4


async def test_cancelled_calls_get_nobody_anothers_answer(
    place: Redis, retrieving: Retrieving
) -> None:
    for number in range(50):
        place.owner(f"k{number}").admin.set(f"k{number}", b"%d" % number)
    retriever = retrieving(place.url, connections=4)

    async def cancelled_after(turns: int, call: Awaitable[object]) -> None:
        task = asyncio.ensure_future(call)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for turns in range(30):
        keys = [f"k{number}" for number in range(turns)] + ["k49"]
        await cancelled_after(turns, retriever.retrieve_many(keys))
        number = (turns * 7) % 50
        assert await retriever.retrieve(f"k{number}") == b"%d" % number


async def test_a_slot_that_moves_is_followed(trio: RedisTrio, retrieving: Retrieving) -> None:
    name = "moving"
    source = trio.owner(name)
    source.admin.set(name, b"630")
    target = next(server for server in trio.servers if server is not source)
    retriever = retrieving(trio.url)
    assert await retriever.retrieve(name) == b"630"
    with trio.moving(name, source, target):
        found = await asyncio.gather(*(retriever.retrieve(name) for _ in range(20)))
        assert set(found) == {b"630"}
    assert await retriever.retrieve_many([name, "none"]) == {name: b"630", "none": None}
    with trio.moving(name, target, source):
        assert await retriever.retrieve(name) == b"630"


async def test_a_cluster_without_its_slots_is_unavailable_until_they_are_back(
    trio: RedisTrio, retrieving: Retrieving
) -> None:
    trio.owner("Tom").admin.set("Tom", b"630")
    retriever = retrieving(trio.url)
    assert await retriever.retrieve("Tom") == b"630"
    gone = next(server for server in trio.servers if server is not trio.owner("Tom"))
    await asyncio.to_thread(trio.lose, gone)
    with pytest.raises(SourceUnavailable, match="the Cluster of Valkey is down"):
        await retriever.retrieve("Tom")
    await asyncio.to_thread(trio.start)
    assert await retriever.retrieve("Tom") == b"630"
