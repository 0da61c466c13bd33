"""The groups of one node: how they come, change and go while it serves. Knows no addresses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from cache_core.events import Hook
from cache_core.group.group import Group
from cache_core.node.participant import Participant

SWEEP_SECONDS: Final = 1.0
"""How often expired entries are freed."""

CLOSE_SECONDS: Final = 3.0
"""How long the sources together may take to close."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The names of the groups that a reload added, gave other settings, and removed.

    A group whose source alone is another now is not among `changed`.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class NodeGroups:
    """Holds a node's `groups` by name; `hook` is told of their events, as Group.observe says.

    Raises ValueError for two groups of one name.
    """

    def __init__(self, groups: Iterable[Group], hook: Hook | None) -> None:
        self._groups = _by_name(groups)
        self._hook = hook
        self._retiring: set[asyncio.Task[None]] = set()
        for group in self:
            self._observe(group)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def __getitem__(self, name: str) -> Group:
        return self._groups[name]

    def reload(self, groups: Iterable[Group], participant: Participant | None) -> Reloaded:
        """Hold `groups` instead, as Node.reload says; `participant`, if any, is to serve them."""
        given = _by_name(groups)
        before = {name: group.settings for name, group in self._groups.items()}
        changed = (
            name for name in given if before.get(name, given[name].settings) != given[name].settings
        )
        reloaded = Reloaded(
            tuple(name for name in given if name not in before),
            tuple(changed),
            tuple(name for name in before if name not in given),
        )
        for name, group in given.items():
            if name in before:
                known = self._groups[name] if participant is None else participant.groups[name]
                following = known.follow(group)
                if participant is not None and name in reloaded.changed:
                    participant.disown(name)
                    following = _followed(following, partial(participant.disown, name))
                self._retire(following)
            else:
                self._add(group, participant)
        for name in reloaded.removed:
            self._retire(self._drop(name, participant))
        return reloaded

    async def sweep(self, participant: Participant) -> None:
        """Free expired entries of `participant`, which serves these groups, for ever.

        This goes a step at a time, so that no call waits for long.
        """
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for group in list(participant.groups.values()):
                while group.sweep():  # noqa: ASYNC110 - it frees a step, it waits for nothing
                    await asyncio.sleep(0)

    def flush(self) -> None:
        """Flush every group of this node."""
        for group in self:
            group.flush()

    async def close_sources(self) -> None:
        """Close every source once, even where another fails; leave behind any that takes too long.

        The errors that they raise are raised in an ExceptionGroup.
        """
        if self._retiring:
            await asyncio.sleep(0)  # a task that is cancelled before it has begun closes nothing
        for retiring in self._retiring:
            retiring.cancel()  # it still closes what it was to close
        closing = [asyncio.create_task(group.aclose()) for group in self]
        closing += self._retiring
        if not closing:
            return
        done, late = await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        raised = [task.exception() for task in closing if task in done and not task.cancelled()]
        errors = [error for error in raised if isinstance(error, Exception)]
        if errors:
            raise ExceptionGroup("sources failed to close", errors)

    def _observe(self, group: Group) -> None:
        if self._hook is not None:
            group.observe(self._hook)

    def _add(self, group: Group, participant: Participant | None) -> None:
        self._observe(group)
        self._groups[group.name] = group
        if participant is not None:
            participant.add(group)

    def _drop(self, name: str, participant: Participant | None) -> Awaitable[None]:
        """Hold the group no more, at once; return an awaitable that closes it."""
        fetches = None if participant is None else participant.drop(name)
        return _close(self._groups.pop(name), fetches)

    def _retire(self, ending: Awaitable[None]) -> None:
        task = asyncio.ensure_future(ending)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


async def _followed(following: Awaitable[None], disown: Callable[[], None]) -> None:
    """Await `following`, then have watchers drop their copies once more.

    They may have made copies while a shorter TTL did not hold for all entries yet.
    """
    await following
    disown()


async def _close(group: Group, fetches: Awaitable[None] | None) -> None:
    """Close `group` once its `fetches` have ended."""
    try:
        if fetches is not None:
            await fetches
    finally:
        await group.aclose()


def _by_name(groups: Iterable[Group]) -> dict[str, Group]:
    named: dict[str, Group] = {}
    for group in groups:
        if group.name in named:
            raise ValueError(f"two groups are named {group.name}")
        named[group.name] = group
    return named
