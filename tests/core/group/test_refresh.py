"""Asking a source whether what is held is still right, and what it says beside the bytes."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import Answer, Group, GroupSettings, RetrieverFailed, Terms, Value

PNG = Terms(content_type="image/png")


class Versioned(FakeSource):
    """A FakeSource whose values have versions, and that says whether one is still right."""

    def __init__(self) -> None:
        super().__init__({"Tom": Value(b"630", version='"1"')})
        self.held: list[Value] = []

    async def refresh(self, key: str, held: Value) -> Value:
        self.held.append(held)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        value = self.values[key]
        assert isinstance(value, Value)
        return held._replace(ttl=None, age=0.0) if held.version == value.version else value


@pytest.fixture
def source() -> Versioned:
    return Versioned()


async def test_a_stale_value_that_is_still_right_is_renewed(
    source: Versioned, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=60, stale_while_revalidate=600)
    held = (await group.get("Tom")).data
    clock.tick(70)
    assert (await group.get("Tom")).answer is Answer.STALE
    await settled()
    fresh = await group.get("Tom")
    assert (fresh.answer, fresh.ttl, fresh.age) == (Answer.HIT, 60, 0)
    assert fresh.data is held
    (asked,) = source.held
    assert (asked.data, asked.version, asked.ttl, asked.age) == (b"630", '"1"', -10, 70)
    assert source.lookups == ["Tom"]


async def test_a_stale_value_that_is_not_is_replaced(source: Versioned, clock: FakeClock) -> None:
    group = group_of(source, clock, ttl=60)
    await group.get("Tom")
    source.values["Tom"] = Value(b"631", version='"2"')
    clock.tick(61)
    assert (await group.get("Tom")).data == b"631"
    clock.tick(61)
    assert (await group.get("Tom")).data == b"631"
    assert [held.version for held in source.held] == ['"1"', '"2"']


async def test_what_has_no_version_is_looked_up(source: Versioned, clock: FakeClock) -> None:
    source.values["Tom"] = b"630"
    group = group_of(source, clock, ttl=60, stale_if_error=600)
    await group.get("Tom")
    clock.tick(61)
    await group.get("Tom")
    assert (source.lookups, source.held) == (["Tom", "Tom"], [])


async def test_a_refresh_that_fails_leaves_the_stale_value(
    source: Versioned, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=60, stale_if_error=600)
    await group.get("Tom")
    source.error = ConnectionError()
    clock.tick(61)
    assert (await group.get("Tom")).answer is Answer.STALE_ERROR


async def test_a_key_removed_while_it_is_refreshed_is_not_held(
    source: Versioned, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=60, stale_if_error=600)
    await group.get("Tom")
    clock.tick(61)
    source.gate.clear()
    refreshing = asyncio.create_task(group.get("Tom"))
    await settled()
    group.remove("Tom")
    source.gate.set()
    await refreshing
    source.values["Tom"] = Value(b"631", version='"2"')
    assert (await group.get("Tom")).data == b"631"


async def test_a_values_media_type_is_told_with_it_loaded_or_held(clock: FakeClock) -> None:
    source = FakeSource({"logo.png": Value(b"png", terms=PNG), "plain": b"630"})
    group = group_of(source, clock, ttl=60, stale_while_revalidate=600)
    for answer in (Answer.MISS, Answer.HIT):
        image, plain = await group.get("logo.png"), await group.get("plain")
        assert (image.answer, image.terms.content_type) == (answer, "image/png")
        assert image.terms.stale_while_revalidate == 600
        assert plain.terms.content_type == ""
    peeked = group.peek("logo.png")
    assert peeked is not None
    assert peeked.terms.content_type == "image/png"
    clock.tick(61)
    assert (await group.get("logo.png")).terms.content_type == "image/png"


async def test_the_groups_own_media_type_holds_for_all(clock: FakeClock) -> None:
    source = FakeSource({"logo.png": Value(b"png", terms=PNG)})
    group = group_of(source, clock, content_type="text/plain")
    for _ in range(2):
        assert (await group.get("logo.png")).terms.content_type == "text/plain"


async def test_a_slot_that_is_used_again_says_nothing_of_what_it_held(clock: FakeClock) -> None:
    source = FakeSource({"logo.png": Value(b"png", terms=PNG), "plain": b"630"})
    group = group_of(source, clock)
    await group.get("logo.png")
    group.remove("logo.png")
    await group.get("plain")
    assert (await group.get("plain")).terms.content_type == ""
    source.values["logo.png"] = b"bytes"
    assert (await group.get("logo.png")).terms.content_type == ""


async def test_a_value_replaced_by_one_without_a_media_type_has_none(clock: FakeClock) -> None:
    source = FakeSource({"logo.png": Value(b"png", terms=PNG)})
    group = group_of(source, clock, ttl=60)
    await group.get("logo.png")
    source.values["logo.png"] = b"bytes"
    clock.tick(61)
    await group.get("logo.png")
    assert (await group.get("logo.png")).terms.content_type == ""


async def test_labels_are_charged(clock: FakeClock) -> None:
    source = FakeSource({"a": Value(b"", version="v" * 500), "b": b""})
    group = group_of(source, clock)
    await group.get("b")
    plain = group.stats().cache.bytes
    await group.get("a")
    assert group.stats().cache.bytes >= 2 * plain + 500
    wide = group.stats().cache.bytes
    source.values["c"] = Value(b"", version="\N{SNOWMAN}" * 500)
    await group.get("c")
    assert group.stats().cache.bytes >= wide + plain + 1_500
    group.flush()
    assert group.stats().cache.bytes == 0


async def test_what_is_handed_over_is_no_more_than_its_limit_labels_included(
    clock: FakeClock,
) -> None:
    values = {str(number): Value(b"", version="v" * 1_000) for number in range(10)}
    group = group_of(FakeSource(values), clock)
    for key in values:
        await group.get(key)
    steps = list(group.hottest(5_000, lambda _: True))
    assert 0 < sum(map(len, steps)) < 5


async def test_a_version_that_is_very_long_is_held_without(clock: FakeClock) -> None:
    source = Versioned()
    source.values["Tom"] = Value(b"630", version="v" * 100_000)
    group = group_of(source, clock, ttl=60)
    await group.get("Tom")
    clock.tick(61)
    assert (await group.get("Tom")).data == b"630"
    assert source.held == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Value(b"", terms=Terms(content_type="no type")), "the content type 'no type', not a"),
        (Value(b"", terms=Terms(content_type="a/b\r\nX: y")), "not a media type"),
        (Value(b"", version=7), "the version 7, not a text"),  # type: ignore[arg-type]
    ],
)
async def test_what_is_no_media_type_or_version_is_the_retrievers_fault(
    value: Value, words: str
) -> None:
    group = Group("g", FakeSource({"Tom": value}), GroupSettings())
    with pytest.raises(RetrieverFailed, match=words):
        await group.get("Tom")


async def test_labels_go_along_when_an_entry_is_handed_over(clock: FakeClock) -> None:
    source = Versioned()
    source.values["Tom"] = Value(b"png", terms=PNG, version='"1"')
    giver, taker = group_of(source, clock, ttl=60), group_of(source, clock, ttl=60)
    await giver.get("Tom")
    for step in giver.hottest(1_000_000, lambda _: True):
        for key, value in step:
            assert taker.put(key, value)
    taken = taker.peek("Tom")
    assert taken is not None
    assert taken.terms.content_type == "image/png"
    clock.tick(61)
    assert (await taker.get("Tom")).data == b"png"
    assert [held.version for held in source.held] == ['"1"']
