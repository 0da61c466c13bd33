"""Loads within limits, and loads inside loads."""

import asyncio
import threading

import pytest
from fakes import FakeClock, FakeSource, settled

from cache_core import (
    Group,
    GroupSettings,
    Overloaded,
    RetrieverFailed,
    SourceUnavailable,
    Value,
)
from cache_core.loading.retriever import FunctionRetriever


async def test_loads_run_within_the_concurrency_and_wait_within_the_queue() -> None:
    source = FakeSource({str(number): b"" for number in range(10)})
    group = Group("g", source, GroupSettings(load_concurrency=2, load_queue=3))
    source.gate.clear()
    gets = [asyncio.create_task(group.get(str(number))) for number in range(5)]
    await settled()
    assert source.lookups == ["0", "1"]
    for number in (5, 6):
        with pytest.raises(Overloaded, match="group g has 5 loads under way") as caught:
            await group.get(str(number))
        assert caught.value.retry_after == 1.0
    joiner = asyncio.create_task(group.get("4"))
    source.gate.set()
    await asyncio.gather(*gets, joiner)
    assert sorted(source.lookups) == ["0", "1", "2", "3", "4"]
    assert (await group.get("5")).data == b""
    assert group.stats().overloads == 2


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    source = FakeSource({str(number): b"" for number in range(10)})
    group = Group("g", source, GroupSettings(load_concurrency=1, load_queue=1))
    source.gate.clear()
    gets = [asyncio.create_task(group.get(str(number))) for number in range(2)]
    await settled()
    for get in gets:
        get.cancel()
    await asyncio.gather(*gets, return_exceptions=True)
    await settled()
    source.gate.set()
    assert (await group.get("7")).data == b""


async def test_a_loader_may_ask_its_own_group_for_other_keys() -> None:
    lookups: list[str] = []

    async def add(key: str) -> bytes:
        lookups.append(key)
        if int(key) < 2:
            return key.encode()
        parts = await asyncio.gather(group.get(str(int(key) - 1)), group.get(str(int(key) - 2)))
        return b"%d" % sum(int(part.data) for part in parts)

    group = Group("fibonacci", add, GroupSettings(load_concurrency=1, load_queue=0))
    async with asyncio.timeout(5):
        assert (await group.get("20")).data == b"6765"
    assert sorted(lookups, key=int) == [str(number) for number in range(21)]


async def test_a_loader_that_asks_for_the_key_it_loads_is_told_so() -> None:
    async def ask_itself(key: str) -> bytes:
        return (await group.get(key)).data

    async def ask_round(key: str) -> bytes:
        return (await round_.get({"a": "b", "b": "a"}[key])).data

    group, round_ = Group("g", ask_itself), Group("round", ask_round)
    for asked, key in ((group, "k"), (round_, "a")):
        async with asyncio.timeout(5):
            with pytest.raises(RetrieverFailed, match="asks for a key that it is loading"):
                await asked.get(key)


async def test_a_refresh_begun_inside_a_load_needs_a_place_of_its_own() -> None:
    clock = FakeClock()
    running: list[int] = [0, 0]

    async def load(key: str) -> bytes:
        running[0] += 1
        running[1] = max(running)
        await settled()
        if key == "all":
            await asyncio.gather(*(group.get(str(number)) for number in range(5)))
        await settled()
        running[0] -= 1
        return b""

    settings = GroupSettings(ttl=10, stale_while_revalidate=100, load_concurrency=1)
    group = Group("g", load, settings, clock=clock)
    for number in range(5):
        await group.get(str(number))
    clock.tick(11)
    running[1] = 0
    await group.get("all")
    await group.aclose()
    assert running[1] == 1


async def test_a_load_inside_a_load_does_not_wait_behind_its_parent_for_a_place() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def load(key: str) -> bytes:
        if key != "parent":
            return b"1"
        asked.set()
        await go.wait()
        return (await group.get("child")).data

    group = Group("g", load, GroupSettings(load_concurrency=1))
    parent = asyncio.create_task(group.get("parent"))
    await asked.wait()
    queued = asyncio.create_task(group.get("child"))
    await settled()
    go.set()
    async with asyncio.timeout(5):
        assert (await parent).data == (await queued).data == b"1"
        assert (await group.get("another")).data == b"1"


async def test_a_function_in_a_thread_runs_on_for_the_next_who_asks() -> None:
    lookups: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def slow(key: str) -> bytes:
        lookups.append(key)
        begun.set()
        go.wait()
        return b"1"

    group = Group("g", slow)
    for _ in range(5):
        impatient = asyncio.create_task(group.get("k"))
        await settled()
        await asyncio.to_thread(begun.wait)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
    go.set()
    assert (await group.get("k")).data == b"1"
    assert lookups == ["k"]
    await group.aclose()


async def test_threads_that_hang_are_an_error_and_no_queue() -> None:
    go = threading.Event()
    retriever = FunctionRetriever(lambda _: b"" if go.wait() else None, threads=1)
    hanging = [asyncio.create_task(retriever.retrieve(str(number))) for number in range(2)]
    await settled()
    with pytest.raises(SourceUnavailable, match="all 2 threads of the function are taken"):
        await retriever.retrieve("k")
    go.set()
    await asyncio.gather(*hanging)
    assert await retriever.retrieve("k") == b""
    await retriever.aclose()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Value(b"", float("nan")), "returned the ttl nan, not seconds or None"),
        (Value(b"", "60"), "returned the ttl '60', not seconds or None"),  # type: ignore[arg-type] # on purpose
        (Value(b"", 1.0, -1.0), "returned the age -1.0, not seconds from 0 on"),
        (Value("630"), "returned str, not bytes"),  # type: ignore[arg-type] # on purpose
    ],
)
async def test_a_value_that_is_none_is_an_error_that_says_so(value: Value, words: str) -> None:
    group = Group("g", FakeSource({"k": value}))
    with pytest.raises(RetrieverFailed, match=f"^the retriever of group g {words}$"):
        await group.get("k")
    assert group.stats().load_errors == 1
