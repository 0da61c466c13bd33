"""Nothing that was removed from the second tier comes back, in whatever order nodes act."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Iterator
from typing import TypeAlias

import pytest
from fake_redis.server import FakeRedis, fake_redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sources.redis_servers import Redis, redis_server, redis_trio
from sources.tier_calls import PATIENT, looked, put

from cache_core.valkey.tier import ValkeyTier, open_tier
from cache_core.value import Value


@pytest.fixture(scope="module", params=[redis_server, redis_trio], ids=["single", "cluster"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Redis]:
    with request.param(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeRedis]:
    with fake_redis() as started:
        yield started


Step: TypeAlias = tuple[str, int, str, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["look", "put", "remove", "flush"]),
        st.integers(0, 1),  # the node
        st.sampled_from(["Tom", "Jack"]),
        st.integers(0, 2),  # which of the looks, the first ones first
    ),
    min_size=10,
    max_size=40,
)


SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(SETTINGS, max_examples=10)
@given(steps=STEPS)
async def test_no_order_of_looks_puts_and_removals_brings_back_what_was_removed(
    fake: FakeRedis, steps: list[Step]
) -> None:
    await act_out(fake.url, steps)


@pytest.mark.service
@settings(SETTINGS, max_examples=80)
@given(steps=STEPS)
async def test_no_order_of_them_in_a_real_redis_does(place: Redis, steps: list[Step]) -> None:
    await act_out(place.url, steps)


async def act_out(url: str, steps: list[Step]) -> None:
    """Take the steps, and check what is seen; a value is the step in which its load looked."""
    name = uuid.uuid4().hex
    async with contextlib.AsyncExitStack() as closing:
        nodes = [open_tier(url, group=name, timeout=PATIENT) for _ in range(2)]
        for node in nodes:
            closing.push_async_callback(node.aclose)
        looks: dict[str, list[tuple[int, str]]] = {"Tom": [], "Jack": []}
        removed = {"Tom": 0, "Jack": 0}
        for step, (what, number, key, which) in enumerate(steps, 1):
            node = nodes[number]
            match what:
                case "look":
                    found = await looked(node, key)
                    assert found.value is None or int(found.value.data) > removed[key]
                    looks[key].append((step, found.state))
                case "put" if looks[key]:
                    at, state = looks[key][which % len(looks[key])]
                    await put(node, state, Value(b"%d" % at), key)
                    seen = (await looked(nodes[1 - number], key)).value
                    assert seen is None or int(seen.data) > removed[key]
                    if at > removed[key]:
                        assert seen is not None
                        assert int(seen.data) == at
                case "remove":
                    await node.remove(key)
                    removed[key] = step
                case "flush":
                    await node.remove(None)
                    removed = dict.fromkeys(removed, step)


@pytest.mark.service
async def test_nothing_removed_comes_back_while_many_ask_at_once(place: Redis) -> None:
    chance = random.Random(6)
    ended, removed = 0, 0
    """Looks that have ended; those that had when a removal began that has ended too."""

    async def act(node: ValkeyTier) -> None:
        nonlocal ended, removed
        for _ in range(40):
            if chance.random() < 0.15:
                began = ended
                await node.remove(chance.choice(["Tom", None]))
                removed = max(removed, began)
                continue
            floor = removed
            found = await looked(node)
            assert found.value is None or int(found.value.data) > floor
            ended += 1
            if chance.random() < 0.5:
                await put(node, found.state, Value(b"%d" % ended))

    name = uuid.uuid4().hex
    one, two = (open_tier(place.url, group=name, timeout=PATIENT) for _ in range(2))
    async with contextlib.aclosing(one), contextlib.aclosing(two), asyncio.TaskGroup() as acting:
        for node in (one, two) * 8:
            acting.create_task(act(node))
