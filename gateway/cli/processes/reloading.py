"""The config read anew while a node serves."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from pathlib import Path

from cache_core.config import ConfigError, NodeTable, Problem, Settings
from cache_core.config.groups import open_groups
from cache_core.group.group import Group
from cache_core.logs import logger
from cache_core.node.groups import Reloaded
from gateway.cli.failure import Failure


class Reloading:
    """Reads `file` anew with `read` and hands its groups to `reload`, which is a node's.

    Each mistake in the file is a line in the log, and so are the changes. A file with mistakes
    changes nothing. `settings` are those that the node was started with: changes in its table
    `[node]` hold only once the node is started anew.
    """

    def __init__(
        self,
        settings: Settings,
        file: Path,
        read: Callable[[], Settings],
        reload: Callable[[Iterable[Group]], Awaitable[Reloaded]],
    ) -> None:
        self._table = settings.node
        self._groups = settings.groups
        self._file = file
        self._read = read
        self._reload = reload

    async def whenever(self, wanted: asyncio.Event) -> None:
        """Reload each time that `wanted` is set, and once more if it is set meanwhile."""
        while await wanted.wait():
            wanted.clear()
            await self.once()

    async def once(self) -> None:
        """Reload now."""
        try:
            settings = self._read()
            groups = await open_groups(settings, self._file)
        except (Failure, ConfigError) as error:
            for line in str(error).splitlines():
                logger.error("%s", line)
            logger.error("%s was not reloaded: what was read before holds", self._file)
            return
        done = await self._reload(groups)
        before, self._groups = self._groups, settings.groups
        others = {
            name for name in before if settings.groups.get(name, before[name]) != before[name]
        }
        logger.warning("%s was reloaded: %s", self._file, _words(done, others))
        if later := _differences(self._table, settings.node):
            logger.warning("these hold once the node is started anew: %s", ", ".join(later))


def _words(done: Reloaded, others: Collection[str]) -> str:
    """Return in words what was `done`; `others` are the groups whose tables have changed."""
    changed = {*done.changed, *others}
    changes = {"added": done.added, "changed": changed, "removed": done.removed}
    said = [f"{what} {', '.join(sorted(names))}" for what, names in changes.items() if names]
    return str(Problem("", "; ".join(said) or "its groups are as they were"))


def _differences(old: NodeTable, new: NodeTable) -> list[str]:
    return [
        f"node.{key}" for key in NodeTable.model_fields if getattr(old, key) != getattr(new, key)
    ]
