"""A store that answers the second tier with errors: what is told, tried again and logged."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
from fake_redis.cluster import FakeTrio
from fake_redis.server import FakeRedis
from fakes import FakeClock
from sources.tier_calls import PATIENT, data_of, eventually, load, looked, put

from cache_core.loading.retriever import InvalidSource
from cache_core.loading.tier import Looked, TierUnavailable, Written
from cache_core.valkey.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE
from cache_core.valkey.tier import ValkeyTier, open_tier
from cache_core.value import Value

TOM, JACK, EPOCH = "gaocache:{g:Tom}", "gaocache:{g:Jack}", "gaocache:{g}"
FORBIDDEN = "NOPERM No permissions to access a key"
LOADING = "LOADING Redis is loading the dataset in memory"


@pytest.fixture
async def tier(fake: FakeRedis, clock: FakeClock) -> AsyncIterator[ValkeyTier]:
    async with contextlib.aclosing(
        ValkeyTier(fake.url, group="g", timeout=PATIENT, clock=clock)
    ) as opened:
        yield opened


async def shut(tier: ValkeyTier, fake: FakeRedis) -> None:
    """Have calls fail until the store is left alone."""
    fake.refusals["EVALSHA"] = LOADING
    for _ in range(FAILURES):
        with pytest.raises(TierUnavailable, match="still loading"):
            await tier.look(["Tom"])
    assert tier.breaker.is_open


async def test_one_key_that_is_refused_harms_no_other(fake: FakeRedis, tier: ValkeyTier) -> None:
    for key in ("Tom", "Jack"):
        await load(tier, Value(b"1"), key)
    fake.refusals[TOM] = FORBIDDEN
    found = await tier.look(["Tom", "Jack"])
    assert found["Tom"] == Looked(None, "")
    assert found["Jack"].value is not None
    assert not tier.breaker.is_open


async def test_a_look_of_which_no_key_is_answered_is_a_failure(
    fake: FakeRedis, tier: ValkeyTier
) -> None:
    fake.refusals |= {TOM: FORBIDDEN, JACK: FORBIDDEN}
    with pytest.raises(TierUnavailable, match="doesn't let its user"):
        await tier.look(["Tom", "Jack"])


async def test_a_look_without_the_groups_epoch_is_a_failure(
    fake: FakeRedis, tier: ValkeyTier
) -> None:
    await load(tier, Value(b"630"))
    fake.refusals[EPOCH] = FORBIDDEN
    with pytest.raises(TierUnavailable, match="doesn't let its user"):
        await tier.look(["Tom"])


@pytest.mark.parametrize("refused", [FORBIDDEN, "OOM command not allowed"])
async def test_a_put_that_is_refused_is_a_failure(
    fake: FakeRedis, tier: ValkeyTier, refused: str
) -> None:
    found = await tier.look(["Tom", "Jack"])
    fake.refusals[TOM] = refused
    entries = {key: Written(Value(b"1"), at.state) for key, at in found.items()}
    with pytest.raises(TierUnavailable):
        await tier.put(entries)
    fake.refusals.clear()
    assert [await data_of(tier, key) for key in ("Tom", "Jack")] == [None, b"1"]


@pytest.mark.parametrize(("key", "name"), [("Tom", TOM), (None, EPOCH)])
async def test_a_removal_that_is_refused_is_not_done(
    fake: FakeRedis, tier: ValkeyTier, key: str | None, name: str
) -> None:
    await load(tier, Value(b"630"))
    fake.refusals[name] = "OOM command not allowed"
    with pytest.raises(TierUnavailable, match="no room"):
        await tier.remove(key)
    fake.refusals.clear()
    assert await data_of(tier) == b"630"


async def test_a_try_that_is_given_up_leaves_the_next_one_to_another(
    fake: FakeRedis, tier: ValkeyTier, clock: FakeClock
) -> None:
    await load(tier, Value(b"630"))
    await shut(tier, fake)
    fake.refusals.clear()
    clock.tick(FIRST_PAUSE)
    fake.freeze()
    trying = asyncio.create_task(tier.look(["Tom"]))
    await asyncio.sleep(0)
    with pytest.raises(TierUnavailable, match="left alone"):
        await tier.look(["Tom"])
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    fake.thaw()
    assert await data_of(tier) == b"630"
    assert not tier.breaker.is_open


async def test_an_outage_is_logged_at_its_begin_and_its_end_alone(
    fake: FakeRedis, tier: ValkeyTier, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await load(tier, Value(b"630"))
        await shut(tier, fake)
        for _ in range(3):
            clock.tick(LONGEST_PAUSE)
            with pytest.raises(TierUnavailable, match="still loading"):
                await tier.look(["Tom"])
        fake.refusals.clear()
        clock.tick(LONGEST_PAUSE)
        for _ in range(3):
            assert await data_of(tier) == b"630"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "the second tier of group g is done without: Valkey is still loading its data"),
        ("INFO", "the second tier of group g is back"),
    ]


async def test_failures_with_answers_in_between_shut_nothing_off(
    fake: FakeRedis, tier: ValkeyTier
) -> None:
    for _ in range(2 * FAILURES):
        fake.refusals["EVALSHA"] = LOADING
        with pytest.raises(TierUnavailable, match="still loading"):
            await tier.look(["Tom"])
        fake.refusals.clear()
        await tier.look(["Tom"])
    assert tier.breaker.openings == 0


async def test_a_url_that_is_wrong_by_now_is_an_unavailable_tier(fakes: FakeTrio) -> None:
    async with contextlib.aclosing(open_tier(f"{fakes.url}/1", group="g", timeout=PATIENT)) as tier:
        with pytest.raises(TierUnavailable, match="no database but 0"):
            await tier.look(["Tom"])
        with pytest.raises(InvalidSource) as refused:
            await tier.check()
        assert refused.value.setting == "tier"


async def test_a_user_who_may_not_run_scripts_is_told_at_the_check(
    fake: FakeRedis, tier: ValkeyTier
) -> None:
    fake.refusals["EVALSHA"] = "NOPERM User reader has no permissions to run the command"
    with pytest.raises(InvalidSource, match="doesn't let its user") as refused:
        await tier.check()
    assert refused.value.setting == "tier"
    fake.refusals.clear()
    await tier.check()


async def test_nothing_stays_connected_once_it_is_closed(fake: FakeRedis, tier: ValkeyTier) -> None:
    found = await looked(tier)
    await put(tier, found.state, Value(b"630"))
    await tier.aclose()
    await eventually(lambda: not fake.connections)
