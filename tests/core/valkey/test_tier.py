"""The second tier in a Redis, single and Cluster: what is put, seen and removed."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from fake_redis.places import PLACES, AnyRedis, AnyServer
from fakes import ALL_BYTES
from sources.tier_calls import PATIENT, data_of, load, looked, put

from cache_core.loading.tier import Written
from cache_core.valkey.tier import LARGEST, ValkeyTier, open_tier
from cache_core.value import Terms, Value

ODD_KEYS = [
    "a",
    "a:b",
    "{a}",
    "{",
    "}",
    "a}b",
    "{}",
    "%",
    "%7B",
    "ä{ö}",
    "\0",
    "a b",
    "*",
    "é" * 512,
]


@pytest.fixture(scope="module", params=PLACES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyRedis]:
    with request.param(tmp_path_factory.mktemp("redis")) as started:
        for server in started.servers:
            server.reads()  # the connection that it asks over is the module's, not some test's
        yield started


@pytest.fixture
def group() -> str:
    return f"g{uuid.uuid4().hex}"


@pytest.fixture
async def tier(place: AnyRedis, group: str) -> AsyncIterator[ValkeyTier]:
    async with contextlib.aclosing(open_tier(place.url, group=group, timeout=PATIENT)) as opened:
        yield opened


@pytest.fixture
async def other(place: AnyRedis, group: str) -> AsyncIterator[ValkeyTier]:
    """Another node's tier of the same group."""
    async with contextlib.aclosing(open_tier(place.url, group=group, timeout=PATIENT)) as opened:
        yield opened


@pytest.mark.parametrize("data", [b"630", b"", ALL_BYTES, bytes(LARGEST)])
async def test_what_one_puts_all_see(tier: ValkeyTier, other: ValkeyTier, data: bytes) -> None:
    assert await data_of(tier) is None
    value = Value(data, version='"é1"', terms=Terms(content_type="image/png"))
    await load(tier, value)
    seen = (await looked(other)).value
    assert seen is not None
    assert (seen.data, seen.version, seen.terms) == (data, value.version, value.terms)
    assert seen.ttl is None


async def test_a_value_too_large_is_not_written(tier: ValkeyTier) -> None:
    await load(tier, Value(bytes(LARGEST + 1)))
    assert await data_of(tier) is None


@pytest.mark.parametrize("ttl", [0.0, -1.0])
async def test_a_value_past_its_ttl_is_not_written(tier: ValkeyTier, ttl: float) -> None:
    await load(tier, Value(b"630", ttl=ttl))
    assert await data_of(tier) is None


async def test_its_ttl_goes_down_as_its_age_goes_up(tier: ValkeyTier) -> None:
    await load(tier, Value(b"630", ttl=60.0, age=5.0))
    async with asyncio.timeout(PATIENT):
        while True:
            value = (await looked(tier)).value
            assert value is not None
            assert value.ttl is not None
            assert value.ttl <= 60.0
            assert value.age - 5.0 == pytest.approx(60.0 - value.ttl, abs=0.005)
            if value.ttl < 59.9:
                break


async def test_a_value_ends_with_its_ttl(tier: ValkeyTier) -> None:
    await load(tier, Value(b"630", ttl=0.2))
    async with asyncio.timeout(PATIENT):
        while await data_of(tier) is not None:
            pass


@pytest.mark.parametrize("ttl", [1e12, 1e300])
async def test_a_ttl_longer_than_the_store_can_count_is_a_long_one(
    tier: ValkeyTier, ttl: float
) -> None:
    await load(tier, Value(b"630", ttl=ttl))
    assert await data_of(tier) == b"630"


async def test_a_hundred_keys_are_looked_up_and_put_together(tier: ValkeyTier) -> None:
    keys = [f"k{number}" for number in range(100)]
    found = await tier.look(keys)
    await tier.put({key: Written(Value(key.encode()), found[key].state) for key in keys})
    found = await tier.look(keys)
    values = {key: each.value.data for key, each in found.items() if each.value is not None}
    assert values == {key: key.encode() for key in keys}


async def test_a_look_and_a_put_are_a_round_trip_to_each_server(
    place: AnyRedis, tier: ValkeyTier
) -> None:
    """Each read from a socket is one: the commands of a batch come together, and fit its 16 KiB."""

    async def look_and_put() -> None:
        found = await tier.look(keys)
        await tier.put({key: Written(Value(b"v"), found[key].state) for key in keys})

    keys = [f"k{number}" for number in range(40)]
    await look_and_put()  # each server has seen the scripts, over a connection that stays open
    servers: Sequence[AnyServer] = place.servers
    before = [server.reads() for server in servers]
    await look_and_put()
    reads = [server.reads() - was for server, was in zip(servers, before, strict=True)]
    assert max(reads) <= 3  # one of them is INFO's own


async def test_odd_keys_are_told_apart(tier: ValkeyTier) -> None:
    for key in ODD_KEYS:
        await load(tier, Value(key.encode()), key)
    assert {key: await data_of(tier, key) for key in ODD_KEYS} == {
        key: key.encode() for key in ODD_KEYS
    }


async def test_odd_groups_are_told_apart(place: AnyRedis) -> None:
    pairs = [("a", "b:c"), ("a:b", "c"), ("a:b:c", ""), ("{a", "b}"), ("a}", "{b"), ("a%3Ab", "c")]
    mark = uuid.uuid4().hex
    async with contextlib.AsyncExitStack() as closing:
        tiers = [open_tier(place.url, group=mark + name, timeout=PATIENT) for name, _ in pairs]
        for tier, (name, key) in zip(tiers, pairs, strict=True):
            closing.push_async_callback(tier.aclose)
            assert await data_of(tier, key) is None
            await load(tier, Value(f"{name} {key}".encode()), key)
        for tier, (name, key) in zip(tiers, pairs, strict=True):
            assert await data_of(tier, key) == f"{name} {key}".encode()


async def test_a_removed_key_is_gone_and_others_stay(tier: ValkeyTier, other: ValkeyTier) -> None:
    for key in ("Tom", "Jack"):
        await load(tier, Value(b"1"), key)
    await other.remove("Tom")
    assert await data_of(tier) is None
    assert await data_of(tier, "Jack") == b"1"


@pytest.mark.parametrize("removed", ["Tom", None])
@pytest.mark.parametrize("held", [True, False])
async def test_a_load_that_looked_before_a_removal_is_not_written(
    tier: ValkeyTier, other: ValkeyTier, removed: str | None, held: bool
) -> None:
    if held:
        await load(other, Value(b"held"))
    before = await looked(tier)
    await other.remove(removed)
    await put(tier, before.state, Value(b"old"))
    assert await data_of(other) is None
    await load(other, Value(b"new"))
    assert await data_of(tier) == b"new"
    if removed:
        await put(tier, before.state, Value(b"old"))
        assert await data_of(tier) == b"new"


async def test_all_of_a_group_are_removed_at_once_and_of_no_other(
    place: AnyRedis, tier: ValkeyTier, other: ValkeyTier
) -> None:
    async with contextlib.aclosing(
        open_tier(place.url, group=uuid.uuid4().hex, timeout=PATIENT)
    ) as stranger:
        await load(stranger, Value(b"3"))
        for key in ("Tom", "Jack"):
            await load(tier, Value(b"1"), key)
        await other.remove(None)
        assert [await data_of(tier, key) for key in ("Tom", "Jack")] == [None, None]
        assert await data_of(stranger) == b"3"
    await load(tier, Value(b"2"))
    assert await data_of(other) == b"2"


async def test_a_load_from_before_a_record_was_lost_is_not_written(
    place: AnyRedis, group: str, tier: ValkeyTier
) -> None:
    before = await looked(tier)
    name = f"gaocache:{{{group}:Tom}}"
    assert place.owner(name).admin.delete(name) == 1
    await put(tier, before.state, Value(b"old"))
    assert await data_of(tier) is None


async def test_a_lost_epoch_makes_no_old_value_right_again(
    place: AnyRedis, group: str, tier: ValkeyTier, other: ValkeyTier
) -> None:
    before = await looked(other, "Jack")
    await load(tier, Value(b"old"))
    await tier.remove(None)
    name = f"gaocache:{{{group}}}"
    assert place.owner(name).admin.delete(name) == 1
    await put(other, before.state, Value(b"old"), "Jack")
    assert [await data_of(tier, key) for key in ("Tom", "Jack")] == [None, None]


@pytest.mark.parametrize("rubbish", [b"", b"gao1", b"gao9" + bytes(100), b"x" * 100])
async def test_what_cannot_be_read_is_not_there_and_is_written_over(
    place: AnyRedis, group: str, tier: ValkeyTier, rubbish: bytes
) -> None:
    name = f"gaocache:{{{group}:Tom}}"
    place.owner(name).admin.set(name, rubbish)
    await load(tier, Value(b"630"))
    assert await data_of(tier) == b"630"


async def test_another_type_at_its_names_is_written_over(
    place: AnyRedis, group: str, tier: ValkeyTier
) -> None:
    for name in (f"gaocache:{{{group}:Tom}}", f"gaocache:{{{group}}}"):
        place.owner(name).admin.lpush(name, b"x")
    await load(tier, Value(b"630"))
    assert await data_of(tier) == b"630"


async def test_scripts_that_a_server_has_forgotten_are_sent_again(
    place: AnyRedis, tier: ValkeyTier
) -> None:
    await load(tier, Value(b"630"))
    for server in place.servers:
        server.command("SCRIPT FLUSH")
    assert await data_of(tier) == b"630"
