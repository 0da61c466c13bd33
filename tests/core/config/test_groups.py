"""The groups of a config are opened: their sources are tried, and a fault leaves nothing open."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources.user_module import Beside

from cache_core import Group
from cache_core.config import ConfigError, load
from cache_core.config.groups import open_groups, problem_of
from cache_core.errors import SourceUnavailable
from cache_core.loading.retriever import InvalidSource

CODE = """
import asyncio
from cache_core import SourceUnavailable

events = []
others_were_tried = asyncio.Event()

class Source:
    def __init__(self, name, how="serves"):
        if how == "wrong at once":
            raise ValueError("no")
        self.name, self.how = name, how
    async def retrieve(self, key):
        assert f"closed {self.name}" not in events
        return self.name.encode()
    async def check(self):
        if self.how == "hangs":
            await asyncio.Event().wait()
        if self.how == "waits for others":
            await others_were_tried.wait()
        if self.how == "down":
            raise SourceUnavailable("no answer")
        if self.how == "wrong":
            raise ValueError("no")
        others_were_tried.set()
    async def aclose(self):
        events.append(f"closed {self.name}")
"""


class Opening:
    """A config of groups over the code above, each source with a way to behave."""

    def __init__(self, beside: Beside) -> None:
        self.file = beside.folder / "gaocache.toml"
        self._module = beside.write(CODE).module

    async def open(self, *, seconds: float = 5.0, more: str = "", **hows: str) -> list[Group]:
        self.write(more=more, **hows)
        return await open_groups(load(self.file), self.file, check_seconds=seconds)

    def write(self, *, more: str, **hows: str) -> None:
        self.file.write_text("".join(self._table(name, hows[name], more) for name in hows))

    @property
    def events(self) -> list[str]:
        events: list[str] = sys.modules[self._module].events
        return sorted(events)

    def _table(self, name: str, how: str, more: str) -> str:
        return (
            f"[groups.{name}]\n{more}\n[groups.{name}.source]\nkind = 'python'\n"
            f"target = '{self._module}:Source'\noptions = {{name = '{name}', how = '{how}'}}\n"
        )


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    path, modules = list(sys.path), set(sys.modules)
    yield Opening(Beside(tmp_path))
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


async def test_the_groups_serve_once_they_are_open_and_are_of_their_own_settings(
    opening: Opening,
) -> None:
    groups = await opening.open(more="ttl = 60\njitter = 0", a="serves", b="serves")
    assert [group.name for group in groups] == ["a", "b"]
    for group in groups:
        value = await group.get("k")
        assert value.data == group.name.encode()
        assert value.ttl == pytest.approx(60, abs=5)
        assert group.stats().tier is None
        await group.aclose()
    assert opening.events == ["closed a", "closed b"]


async def test_every_wrong_source_is_a_line_and_whatever_was_open_is_closed(
    opening: Opening,
) -> None:
    with pytest.raises(ConfigError) as caught:
        await opening.open(a="serves", b="wrong", c="wrong at once", d="wrong", e="wrong at once")
    lines = [line.removeprefix(f"{opening.file}:") for line in str(caught.value).splitlines()]
    assert [line.split(": ")[:2] for line in lines] == [
        ["11", "groups.b.source.target"],
        ["18", "groups.c.source.options"],
        ["23", "groups.d.source.target"],
        ["30", "groups.e.source.options"],
    ]
    assert opening.events == ["closed a", "closed b", "closed d"]


async def test_a_source_that_is_down_is_a_warning_with_its_place_and_serves_later(
    opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "gaocache"):
        groups = await opening.open(a="serves", b="down")
    words = "no answer; see that it runs and that its address is right"
    assert caplog.messages == [f"{opening.file}:9: groups.b.source: {words}"]
    assert [(await group.get("k")).data for group in groups] == [b"a", b"b"]
    for group in groups:
        await group.aclose()


async def test_a_source_that_hangs_is_waited_for_as_long_as_was_said(
    opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "gaocache"):
        (group,) = await opening.open(seconds=0.01, a="hangs")
    (message,) = caplog.messages
    assert "it did not answer within 0.01 s" in message
    await group.aclose()


async def test_the_sources_are_tried_at_the_same_time(
    opening: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "gaocache"):
        groups = await opening.open(seconds=2.0, a="waits for others", b="serves")
    assert caplog.messages == []
    for group in groups:
        await group.aclose()


async def test_a_tier_that_is_down_is_a_warning_of_its_own_and_is_the_groups(
    opening: Opening, caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    tier = f'tier = "valkey://127.0.0.1:{unused_tcp_port}"'
    with caplog.at_level(logging.WARNING, "gaocache"):
        (group,) = await opening.open(more=tier, a="serves")
    (message,) = caplog.messages
    assert message.startswith(f"{opening.file}:2: groups.a.tier: ")
    tier_stats = group.stats().tier
    assert tier_stats is not None
    assert (await group.get("k")).data == b"a"
    await group.aclose()


def test_a_problem_is_told_at_the_source_the_tier_or_their_setting(opening: Opening) -> None:
    opening.write(more='tier = "valkey://127.0.0.1"', a="serves")
    settings = load(opening.file)
    place = f"{opening.file}:{{}}: groups.a.{{}}: "
    for error, is_tier, line, key in (
        (InvalidSource("target", "no"), False, 5, "source.target"),
        (InvalidSource("tier", "no"), True, 2, "tier"),
        (InvalidSource("tier", "no"), False, 2, "tier"),
        (SourceUnavailable("no"), False, 3, "source"),
        (SourceUnavailable("no"), True, 2, "tier"),
    ):
        problem = str(problem_of(settings, "a", error, is_tier=is_tier))
        assert problem.startswith(place.format(line, key) + "no")
