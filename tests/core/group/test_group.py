import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
from fakes import FakeSource, settled

from cache_core import (
    Answer,
    CacheError,
    Group,
    GroupSettings,
    InvalidKey,
    KeyRequired,
    NotFound,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    Value,
)
from cache_core.events import Event, Hit, LoadFailed, LoadStarted, Miss


async def test_a_key_is_looked_up_once_and_then_held(source: FakeSource) -> None:
    group = Group("scores", source)
    assert (await group.get("Tom")).data == b"630"
    assert (await group.get("Tom")).data == b"630"
    assert source.lookups == ["Tom"]


async def test_empty_bytes_are_a_value(source: FakeSource) -> None:
    group = Group("scores", source)
    assert (await group.get("empty")).data == b""
    assert (await group.get("empty")).data == b""
    assert source.lookups == ["empty"]


async def test_a_key_that_the_source_lacks_is_looked_up_each_time(source: FakeSource) -> None:
    group = Group("scores", source)
    for _ in range(2):
        with pytest.raises(NotFound, match=r"^NotExist not exist$"):
            await group.get("NotExist")
    assert source.lookups == ["NotExist", "NotExist"]


async def test_an_empty_key_never_reaches_the_source(source: FakeSource) -> None:
    with pytest.raises(KeyRequired, match=r"^key required$"):
        await Group("scores", source).get("")
    assert source.lookups == []


async def test_text_that_utf_8_cannot_carry_never_reaches_the_source(source: FakeSource) -> None:
    with pytest.raises(InvalidKey):
        await Group("scores", source).get("a\udcff")
    assert source.lookups == []


async def test_a_hundred_gets_of_a_cold_key_look_it_up_once(source: FakeSource) -> None:
    group = Group("scores", source)
    source.gate.clear()
    gets = [asyncio.create_task(group.get("Tom")) for _ in range(100)]
    await source.asked.wait()
    source.gate.set()
    values = await asyncio.gather(*gets)
    assert {value.data for value in values} == {b"630"}
    answers = [value.answer for value in values]
    assert (answers.count(Answer.MISS), answers.count(Answer.COLLAPSED)) == (1, 99)
    assert source.lookups == ["Tom"]


async def test_two_gets_that_enter_the_flight_one_after_the_other_look_it_up_once(
    source: FakeSource,
) -> None:
    group = Group("scores", source)
    first = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    second = asyncio.create_task(group.get("Tom"))
    await asyncio.gather(first, second)
    assert source.lookups == ["Tom"]


async def test_a_value_over_the_budget_is_served_and_not_held(source: FakeSource) -> None:
    group = Group("scores", source, GroupSettings(capacity=100))
    for _ in range(2):
        assert (await group.get("Tom")).data == b"630"
    assert source.lookups == ["Tom", "Tom"]


def raise_(error: BaseException) -> bytes:
    raise error


async def cancelled(_key: str) -> bytes:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("retriever", "kind", "words"),
    [
        (
            lambda _: raise_(ZeroDivisionError("secret")),
            RetrieverFailed,
            "the source of group g failed",
        ),
        (lambda _: raise_(SystemExit(3)), RetrieverFailed, "the source of group g failed"),
        (cancelled, RetrieverFailed, "the source of group g failed"),
        (
            lambda _: raise_(ConnectionRefusedError("postgres://user:secret@host")),
            SourceUnavailable,
            "the source of group g is unavailable",
        ),
        (
            lambda _: raise_(TimeoutError()),
            SourceUnavailable,
            "the source of group g is unavailable",
        ),
        (
            lambda _: "630",
            RetrieverFailed,
            "the retriever of group g returned str, not bytes",
        ),
        (lambda key: raise_(NotFound.of(key)), NotFound, "k not exist"),
        (lambda _: next(iter([])), RetrieverFailed, "the source of group g failed"),
        (lambda _: raise_(KeyRequired("secret")), RetrieverFailed, "the source of group g failed"),
        (lambda _: raise_(PeerUnavailable("s")), RetrieverFailed, "the source of group g failed"),
        (lambda _: raise_(CacheError("secret")), RetrieverFailed, "the source of group g failed"),
        (lambda _: raise_(SourceUnavailable("shut")), SourceUnavailable, "shut"),
        (lambda _: None, NotFound, "k not exist"),
    ],
)
async def test_a_failing_retriever_is_a_clear_error_that_leaks_nothing_and_the_next_get_asks_again(
    retriever: Callable[[str], bytes | Awaitable[bytes]], kind: type[Exception], words: str
) -> None:
    async with aclosing(Group("g", retriever)) as group:
        for _ in range(2):
            with pytest.raises(kind) as caught:
                await group.get("k")
            assert type(caught.value) is kind
            assert str(caught.value) == words


async def test_cancelling_any_caller_harms_no_other_and_the_last_cancels_the_lookup(
    source: FakeSource,
) -> None:
    group = Group("scores", source)
    source.gate.clear()
    gets = [asyncio.create_task(group.get("Tom")) for _ in range(10)]
    await source.asked.wait()
    for get in gets[:9]:
        get.cancel()
    await asyncio.gather(*gets[:9], return_exceptions=True)
    assert source.cancelled == []
    gets[9].cancel()
    await asyncio.gather(gets[9], return_exceptions=True)
    source.gate.set()
    await source.left.wait()
    assert (await group.get("Tom")).data == b"630"
    assert source.cancelled == ["Tom"]


async def test_hooks_are_told_of_hits_and_loads() -> None:
    events: list[Event] = []
    group = Group("g", lambda key: raise_(ValueError()) if key == "bad" else b"1")
    group.observe(events.append)
    await group.get("k")
    await group.get("k")
    with pytest.raises(RetrieverFailed) as caught:
        await group.get("bad")
    assert events == [
        Miss("g", "k", Answer.MISS),
        LoadStarted("g", "k"),
        Hit("g", "k"),
        Miss("g", "bad", Answer.MISS),
        LoadStarted("g", "bad"),
        LoadFailed("g", "bad", caught.value),
    ]


async def test_closing_a_group_ends_its_loads_first_and_tells_their_waiters() -> None:
    closed_while_asked = []

    class Lingering(FakeSource):
        async def retrieve(self, key: str) -> bytes | Value | None:
            try:
                return await super().retrieve(key)
            finally:
                await settled()
                closed_while_asked.append(self.closed)

    source = Lingering({"Tom": b"630"})
    group = Group("scores", source)
    source.gate.clear()
    waiting = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    group.remove("Tom")
    await group.aclose()
    assert source.cancelled == ["Tom"]
    assert closed_while_asked == [False]
    assert source.closed
    with pytest.raises(SourceUnavailable, match="the load of group scores was ended"):
        await waiting
