"""The second tier's store is lost, frozen, full, or not let in: nobody waits, and all recovers."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fake_redis.places import SERVERS, TRIOS, AnyServer, AnyTrio
from fakes import FakeClock
from sources.redis_servers import PASSWORD
from sources.tier_calls import PATIENT, data_of, load, looked

from cache_core.errors import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.loading.tier import Looked, TierUnavailable, Written
from cache_core.valkey.breaker import FAILURES, FIRST_PAUSE
from cache_core.valkey.tier import ValkeyTier, open_tier
from cache_core.value import Value

QUICK = 0.25
VALUE = Value(b"630")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyServer]:
    with request.param(tmp_path) as started:
        yield started


@pytest.fixture
async def tier(server: AnyServer, clock: FakeClock) -> AsyncIterator[ValkeyTier]:
    opened = ValkeyTier(server.url, group="g", timeout=PATIENT, clock=clock)
    yield opened
    await opened.aclose()


async def fail(tier: ValkeyTier) -> None:
    with pytest.raises(TierUnavailable):
        await tier.look(["Tom"])


async def test_a_store_that_is_gone_is_left_alone_until_a_pause_is_over(
    server: AnyServer, tier: ValkeyTier, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await load(tier, VALUE)
    server.kill()
    for _ in range(FAILURES):
        await fail(tier)
    server.start()
    for call in (tier.look(["Tom"]), tier.remove("Tom"), tier.remove(None)):
        with pytest.raises(TierUnavailable, match="left alone for a while"):
            await call
    assert (tier.breaker.openings, tier.breaker.refusals) == (1, 3)
    clock.tick(FIRST_PAUSE)
    assert await data_of(tier) == b"630"
    assert await data_of(tier) == b"630"
    assert caplog.messages == [
        "the second tier of group g is done without: Valkey can't be reached"
    ]


async def test_a_restart_is_not_noticed(server: AnyServer, tier: ValkeyTier) -> None:
    await load(tier, VALUE)
    server.restart()
    assert await data_of(tier) == b"630"


async def test_a_store_that_lost_everything_is_filled_again_and_by_no_old_load(
    server: AnyServer, tier: ValkeyTier
) -> None:
    before = await looked(tier)
    await load(tier, VALUE)
    server.lose_everything()
    await tier.put({"Tom": Written(Value(b"old"), before.state)})
    assert await data_of(tier) is None
    await load(tier, VALUE)
    assert await data_of(tier) == b"630"


async def test_a_frozen_store_holds_each_call_up_for_its_timeout_and_then_none(
    server: AnyServer, clock: FakeClock
) -> None:
    loop = asyncio.get_running_loop()
    async with contextlib.aclosing(
        ValkeyTier(server.url, group="g", timeout=QUICK, clock=clock)
    ) as tier:
        server.freeze()
        began = loop.time()
        for _ in range(FAILURES):
            await fail(tier)
        assert loop.time() - began >= FAILURES * QUICK * 0.9
        began = loop.time()
        for _ in range(1000):
            await fail(tier)
        assert loop.time() - began < QUICK
        server.thaw()


async def test_calls_that_are_cancelled_leave_the_store_usable_and_are_no_failure(
    server: AnyServer, tier: ValkeyTier
) -> None:
    await load(tier, VALUE)
    server.freeze()
    calls = [asyncio.create_task(tier.look([f"k{number}"])) for number in range(100)]
    for turns in range(100):
        await asyncio.sleep(0)
        calls[turns].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert all(call.cancelled() for call in calls)
    server.thaw()
    assert await data_of(tier) == b"630"
    assert tier.breaker.openings == 0


async def test_a_full_store_is_read_and_not_written(server: AnyServer, tier: ValkeyTier) -> None:
    await load(tier, VALUE)
    before = await looked(tier)
    server.admin.config_set("maxmemory", 1)
    assert await data_of(tier) == b"630"
    missing = await looked(tier, "Jack")
    assert missing == Looked(None, "")
    await tier.put({"Jack": Written(Value(b"589"), missing.state)})
    for _ in range(2 * FAILURES):
        with pytest.raises(TierUnavailable, match="no room"):
            await tier.put({"Tom": Written(Value(b"631"), before.state)})
    assert await data_of(tier) == b"630"
    await tier.remove("Tom")
    server.admin.config_set("maxmemory", 0)
    assert await data_of(tier) is None


async def test_a_replica_is_no_tier_until_it_is_the_master(
    server: AnyServer, tier: ValkeyTier
) -> None:
    await tier.remove(None)
    server.admin.replicaof("127.0.0.1", 1)
    for call in (tier.look(["Tom"]), tier.remove("Tom")):
        with pytest.raises(TierUnavailable, match="replica"):
            await call
    server.admin.replicaof("NO", "ONE")
    await load(tier, VALUE)
    assert await data_of(tier) == b"630"


async def test_its_check_tells_what_is_at_fault_without_the_secret(server: AnyServer) -> None:
    async def checked(url: str) -> None:
        async with contextlib.aclosing(open_tier(url, group="g")) as opened:
            await opened.check()

    await checked(server.url)
    with pytest.raises(InvalidSource, match="another user or password") as refused:
        await checked(server.url.replace(PASSWORD, "wrong-horse"))
    assert refused.value.setting == "tier"
    assert "horse" not in str(refused.value)
    server.kill()
    with pytest.raises(SourceUnavailable, match="can't be reached"):
        await checked(server.url)


async def test_a_wrong_password_at_run_time_is_an_unavailable_tier(
    server: AnyServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.url.replace(PASSWORD, "wrong-horse")
    with caplog.at_level(logging.DEBUG):
        async with contextlib.aclosing(open_tier(url, group="g", timeout=PATIENT)) as tier:
            for _ in range(FAILURES):
                await fail(tier)
    assert "another user or password" in caplog.text
    assert "horse" not in caplog.text


@pytest.fixture(params=TRIOS)
def trio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyTrio]:
    with request.param(tmp_path) as started:
        yield started


async def test_a_cluster_that_lost_a_master_is_no_tier_until_it_is_back(
    trio: AnyTrio, clock: FakeClock
) -> None:
    keys = [f"k{number}" for number in range(30)]
    async with contextlib.aclosing(
        ValkeyTier(trio.url, group="g", timeout=PATIENT, clock=clock)
    ) as tier:
        found = await tier.look(keys)
        await tier.put({key: Written(Value(b"v"), found[key].state) for key in keys})
        trio.owner("gaocache:{g}").kill()
        for _ in range(FAILURES):
            await fail(tier)
        with pytest.raises(TierUnavailable, match="left alone"):
            await tier.look(keys)
        await asyncio.to_thread(trio.start)
        clock.tick(FIRST_PAUSE)
        found = await tier.look(keys)
        assert {key for key in keys if found[key].value is not None} == set(keys)


async def test_while_a_clusters_master_is_away_the_others_keys_are_answered(
    trio: AnyTrio, clock: FakeClock
) -> None:
    for server in trio.servers:
        server.admin.config_set("cluster-require-full-coverage", "no")
    keys = [f"k{number}" for number in range(30)]
    async with contextlib.aclosing(
        ValkeyTier(trio.url, group="g", timeout=PATIENT, clock=clock)
    ) as tier:
        found = await tier.look(keys)
        await tier.put({key: Written(Value(b"v"), found[key].state) for key in keys})
        epochs = trio.owner("gaocache:{g}")
        away = next(server for server in trio.servers if server is not epochs)
        away.kill()
        there = {key for key in keys if trio.owner(f"gaocache:{{g:{key}}}") is not away}
        found = await tier.look(keys)
        assert {key for key in keys if found[key].value is not None} == there
        assert {found[key] for key in keys if key not in there} == {Looked(None, "")}
        assert not tier.breaker.is_open


async def test_a_slot_that_moves_takes_its_keys_along(trio: AnyTrio) -> None:
    async with contextlib.aclosing(open_tier(trio.url, group="g", timeout=PATIENT)) as tier:
        keys = [f"k{number}" for number in range(10)]
        found = await tier.look(keys)
        await tier.put({key: Written(Value(b"v"), found[key].state) for key in keys})
        name = "gaocache:{g:k3}"
        source = trio.owner(name)
        target = next(server for server in trio.servers if server is not source)
        moving: Callable[..., AbstractContextManager[None]] = trio.moving
        with moving(name, source, target):
            await asyncio.gather(*(tier.look(keys) for _ in range(8)))
            for _ in range(3):
                found = await tier.look(keys)
                assert {key for key in keys if found[key].value is not None} == set(keys)
            await tier.remove("k3")
            assert await data_of(tier, "k3") is None
            await load(tier, Value(b"new"), "k3")
            assert await data_of(tier, "k3") == b"new"
        assert await data_of(tier, "k3") == b"new"
        await load(tier, Value(b"newer"), "k3")
        assert await data_of(tier, "k3") == b"newer"
