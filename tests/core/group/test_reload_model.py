"""A group that is reloaded again and again is held to a model after every step."""

import asyncio
import random
from math import inf
from typing import TypeVar

import pytest
from fake_tier import FakeTier
from fakes import settled
from held_copy import Copy
from reload_model import CHANCE, ReloadModel
from told_sources import ToldSource, ToldTier

from cache_core import Answer, Demand, Group, GroupSettings, Value
from cache_core.value import Terms

T = TypeVar("T")

KEYS = ["Tom", "Jack", "Sam", "é"]
STEPS = 120
TICKS = [0.25, 0.25, 0.5, 1.0, 3.0]


class Constant(random.Random):
    """Chance that says the same each time, so that jitter is known."""

    def random(self) -> float:
        return CHANCE


class Run:
    """A group and its model, and steps that chance chooses by `seed`."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.model = ReloadModel(KEYS)
        self.writes = 0
        self.waiting: list[tuple[str, asyncio.Task[Value]]] = []
        self.retiring: list[asyncio.Future[None]] = []
        self.steps = {
            self.get: 16,
            self.write: 4,
            self.reload: 3,
            self.hand_over: 2,
            self.remove: 2,
            self.sweep: 2,
            self.let_loads_go_on: 2,
            self.hold_loads_back: 1,
            self.give_up: 1,
            self.flush: 1,
            self.break_or_mend_the_source: 1,
            self.break_or_mend_the_tier: 1,
        }
        self.model.source = ToldSource(self.model, self.any_values())
        self.model.tier = ToldTier(self.model, FakeTier(self.model.clock))
        self.model.settings = self.any_settings()
        self.group = self.model.group = self.another_group(self.model.settings)
        self.group.on_removed_beyond(self.model.taken.append)

    async def step(self) -> None:
        self.model.clock.tick(self.one_of(*TICKS))
        self.model.begin_step()
        (step,) = self.chance.choices(list(self.steps), list(self.steps.values()))
        await step()
        await settled()
        for key, asking in [waiting for waiting in self.waiting if waiting[1].done()]:
            self.waiting.remove((key, asking))
            # What was of no use when it began to wait may be of use again, by longer graces.
            before = None if asking.exception() else self.model.held.get(key)
            self.judge(key, asking, before, may_fail=True)
        self.model.check()

    async def close(self) -> None:
        await self.let_loads_go_on()
        await asyncio.gather(*self.retiring)
        await asyncio.gather(*(asking for _, asking in self.waiting), return_exceptions=True)
        self.model.check()
        for key in KEYS:
            self.group.remove(key)
        self.model.clock.tick(1e6)
        while self.group.sweep():
            pass
        stats = self.group.stats()
        assert (stats.cache.entries, stats.cache.bytes, stats.negatives.bytes) == (0, 0, 0)
        await self.group.aclose()
        assert self.model.source.closed
        assert self.model.tier is None or self.model.tier.closed

    async def get(self) -> None:
        key, demand = self.one_of(*KEYS), self.one_of(Demand.ANY, Demand.ANY, Demand.CACHED)
        before, may_fail = self.model.held.get(key), self.model.may_fail(key)
        asking = asyncio.create_task(self.group.get(key, demand))
        await settled()
        is_fresh = before is not None and self.model.clock.now < before.soft
        if not asking.done():
            assert not is_fresh
            assert demand is Demand.ANY
            self.waiting.append((key, asking))
            return
        self.judge(key, asking, before, may_fail=may_fail)
        if is_fresh:
            assert asking.result().answer is Answer.HIT
        elif not asking.exception() and asking.result().answer is Answer.MISS:
            self.model.judge_miss(before)

    async def hand_over(self) -> None:
        key, value = self.one_of(*KEYS), self.any_value()
        is_loaded_before = self.model.is_loaded(key)
        giver_ttl = self.one_of(None, inf, 2.0, 5.0, 20.0)
        is_taken = self.group.put(key, value, giver_ttl=giver_ttl)
        assert not (is_taken and is_loaded_before)
        self.model.judge_handover(key, value, giver_ttl, is_taken=is_taken)

    async def write(self) -> None:
        values = self.model.source.values
        values[self.one_of(*KEYS)] = self.one_of(None, *[self.any_value()] * 4)

    async def remove(self) -> None:
        key = self.one_of(*KEYS)
        self.group.remove(key)
        self.model.remove([key])
        await self.remove_beyond(key)

    async def flush(self) -> None:
        self.group.flush()
        self.model.remove(KEYS)
        await self.remove_beyond(None)

    async def sweep(self) -> None:
        self.group.sweep()

    async def break_or_mend_the_source(self) -> None:
        self.model.source.error = None if self.model.source.error else ConnectionError()

    async def break_or_mend_the_tier(self) -> None:
        if self.model.tier is not None:
            self.model.tier.store.gone = not self.model.tier.store.gone

    async def hold_loads_back(self) -> None:
        self.model.source.gate.clear()

    async def let_loads_go_on(self) -> None:
        for source, _ in [(self.model.source, None), *self.model.retired]:
            source.gate.set()
        await settled()

    async def give_up(self) -> None:
        if self.waiting:
            _, asking = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            asking.cancel()

    async def reload(self) -> None:
        model, settings = self.model, self.any_settings()
        model.retired.append((model.source, model.tier))
        values = self.one_of(model.source.values, self.any_values())
        model.source, model.tier = ToldSource(model, values), self.another_tier(model.tier)
        model.reserved = self.one_of(0.0, 0.125, 0.5)
        following = self.group.follow(self.another_group(settings), reserve=model.reserved)
        self.retiring.append(asyncio.ensure_future(following))
        model.follow(settings)
        await settled()

    def judge(
        self, key: str, asked: asyncio.Task[Value], before: Copy | None, *, may_fail: bool
    ) -> None:
        error = asked.exception()
        if error is None:
            self.model.judge(key, asked.result(), before, may_fail=may_fail)
        else:
            self.model.judge_error(key, error, before)

    async def remove_beyond(self, key: str | None) -> None:
        if not await self.group.remove_beyond(key):
            self.model.owed.add(key)

    def another_group(self, settings: GroupSettings) -> Group:
        model = self.model
        return Group(
            "g", model.source, settings, tier=model.tier, clock=model.clock, rng=Constant()
        )

    def another_tier(self, before: ToldTier | None) -> ToldTier | None:
        same = None if before is None else before.store
        store = self.one_of(None, FakeTier(self.model.clock), *[same] * 5)
        return None if store is None else ToldTier(self.model, store)

    def any_settings(self) -> GroupSettings:
        given = {
            "ttl": self.one_of(None, None, 2, 5, 20),
            "stale_while_revalidate": self.one_of(0, 3, 8),
            "stale_if_error": self.one_of(0, 4, 10),
            "negative_ttl": self.one_of(0, 4, 8),
            "content_type": self.one_of(None, None, "text/css", "text/plain"),
            "policy": self.one_of("s3fifo", "lru", "lfu"),
            "capacity": self.one_of(1_900, 1_900, 60_000),  # the least that any value fits
            "max_value": self.one_of(150, 1_000, 1_000),
            "jitter": self.one_of(0, 0.5),
        }
        return GroupSettings.model_validate(given)

    def any_values(self) -> dict[str, Value | None]:
        return {key: self.any_value() for key in KEYS}

    def any_value(self) -> Value:
        self.writes += 1
        return Value(
            b"%d " % self.writes + b"x" * self.one_of(0, 50, 200),
            ttl=self.one_of(None, None, None, 3.0, 9.0),
            age=self.one_of(0.0, 0.0, 1.5),
            terms=Terms(content_type=self.one_of("", "", "image/png")),
            version=self.one_of("", "v1"),
        )

    def one_of(self, *choices: T) -> T:
        return self.chance.choice(choices)


@pytest.mark.parametrize("seed", range(24))
async def test_a_group_that_is_reloaded_does_at_every_step_what_its_model_allows(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.loading.tier_removals.RETRY_SECONDS", 0)
    run = Run(seed)
    for _ in range(STEPS):
        await run.step()
    await run.close()
