"""The near cache held to a simple model: what was removed or is uncovered is never read again."""

from dataclasses import dataclass

import pytest
from fakes import FakeClock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cache_core import Value
from cache_core.client.near import NearCache
from cache_core.client.near_copies import Coverage, Held
from cache_core.memory.cache import OVERHEAD

Name = tuple[str, str]

groups = st.sampled_from(["g", "h"])
keys = st.sampled_from(["a", "b", "c"])


@dataclass(eq=False)
class Asked:
    """An ask under way; `fenced` once something was removed that it may be of."""

    name: Name
    coverage: Coverage
    mark: int
    fenced: bool = False
    quiet: bool = True


@dataclass(eq=False)
class Copy:
    """What may be read: `until` is its own end."""

    data: bytes
    until: float
    coverage: Coverage
    held: list[Held]


class NearMachine(RuleBasedStateMachine):
    """A near cache beside a dict of what it holds, and the asks that are under way."""

    asks: Bundle[Asked] = Bundle("asks")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.near = NearCache(10**6, self.clock)
        self.coverages = [Coverage(self.clock.now + 3) for _ in range(2)]
        self.model: dict[Name, Copy] = {}
        self.lost: list[Held] = []
        self.under_way: list[Asked] = []
        self.versions = 0

    @rule(target=asks, group=groups, key=keys, which=st.integers(0, 1))
    def ask(self, group: str, key: str, which: int) -> Asked:
        self.under_way.append(Asked((group, key), self.coverages[which], self.near.mark))
        return self.under_way[-1]

    @rule(asked=asks, ttl=st.none() | st.floats(0.5, 8), short=st.booleans(), new=st.booleans())
    def answer(self, asked: Asked, ttl: float | None, short: bool, new: bool) -> None:
        self.versions += 1
        data = b"" if short else b"version %d" % self.versions
        value = Value(data, ttl)
        kept = self.near.offer(*asked.name, value, asked.coverage, asked.mark, replaces=new)
        over = asked.coverage.until <= self.clock.now
        assert not (kept and (asked.fenced or over))
        assert kept or not asked.quiet or over
        if kept or new:
            self.lose(asked.name)
        if kept:
            until = self.clock.now + (1e9 if ttl is None else ttl)
            self.model[asked.name] = Copy(data, until, asked.coverage, [])
        if new:
            self.fence(asked.name)

    @rule(group=groups, key=keys)
    def remove(self, group: str, key: str) -> None:
        self.near.remove(group, key)
        self.lose((group, key))
        self.fence((group, key))

    @rule(group=groups)
    def flush(self, group: str) -> None:
        self.near.flush(group)
        for name in [name for name in self.model if name[0] == group]:
            self.lose(name)
        for asked in self.under_way:
            asked.quiet = False
            asked.fenced |= asked.name[0] == group

    @rule(which=st.integers(0, 1))
    def end(self, which: int) -> None:
        self.near.end(self.coverages[which])
        self.coverages[which] = Coverage(self.clock.now + 3)

    @rule(which=st.integers(0, 1), seconds=st.floats(0, 4))
    def notice(self, which: int, seconds: float) -> None:
        now, coverage = self.clock.now, self.coverages[which]
        if not coverage.extend(now + seconds, now):
            self.end(which)

    @rule(seconds=st.floats(0, 2))
    def tick(self, seconds: float) -> None:
        self.clock.tick(seconds)
        self.near.sweep()

    @rule(group=groups, key=keys)
    def hold(self, group: str, key: str) -> None:
        if self.near.peek(group, key) is not None:
            held = self.near.hold(group, key)
            assert held is not None
            self.model[group, key].held.append(held)

    @invariant()
    def what_is_read_is_what_holds(self) -> None:
        for group in ("g", "h"):
            for key in ("a", "b", "c"):
                copy = self.model.get((group, key))
                found = self.near.peek(group, key)
                holds = copy is not None and min(copy.until, copy.coverage.until) > self.clock.now
                assert (found is not None) == holds
                if copy is not None and found is not None:
                    assert found.data == copy.data
                    assert all(held.touch() for held in copy.held)
        assert not any(held.touch() for held in self.lost)

    @invariant()
    def figures_are_those_of_what_holds(self) -> None:
        now, figures = self.clock.now, self.near.group_stats()
        for group, found in figures.items():
            covered = [
                copy
                for name, copy in self.model.items()
                if name[0] == group and copy.coverage.until > now
            ]
            weights = [len("0:a") + len(copy.data) + OVERHEAD for copy in covered]
            assert sum(copy.until > now for copy in covered) <= found.entries <= len(covered)
            if found.entries == len(covered):
                assert found.bytes == sum(weights)
        total = self.near.stats()
        assert sum(found.entries for found in figures.values()) <= total.entries
        assert sum(found.bytes for found in figures.values()) <= total.bytes

    def lose(self, name: Name) -> None:
        copy = self.model.pop(name, None)
        if copy is not None and copy.data:  # empty bytes may be replaced by themselves
            self.lost += copy.held

    def fence(self, name: Name) -> None:
        for asked in self.under_way:
            asked.quiet = False
            asked.fenced |= asked.name == name


@pytest.mark.parametrize("steps", [40])
def test_the_near_cache_is_as_its_model(steps: int) -> None:
    run_state_machine_as_test(
        NearMachine, settings=settings(max_examples=25, stateful_step_count=steps, deadline=None)
    )
