"""Groups as the settings describe them, with their retrievers."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from cache_core.config import ConfigError, GroupTable, Settings, SqlSource
from cache_core.group import Group
from cache_core.retriever import Retriever
from cache_core.settings import GroupSettings


async def open_groups(settings: Settings, file: Path) -> list[Group]:
    """Return the groups that `settings`, read from `file`, describes, their sources tried.

    A relative path in them starts at the file's folder. Raises ConfigError, with nothing left
    open.
    """
    async with AsyncExitStack() as opened:
        groups = []
        for name, table in settings.groups.items():
            place = ("groups", name, "source")
            retriever = await _open_retriever(table.source, opened, file=file, place=place)
            groups.append(Group(name, retriever, _settings(table)))
        opened.pop_all()
        return groups


def _settings(table: GroupTable) -> GroupSettings:
    """Return the table without its source, which is nobody's business but the retriever's."""
    return GroupSettings(**table.model_dump(include=set(GroupSettings.model_fields)))


async def _open_retriever(
    source: SqlSource, opened: AsyncExitStack, *, file: Path, place: Iterable[str]
) -> Retriever:
    from cache_core.retrievers.sql import (  # noqa: PLC0415 - SQLAlchemy takes 0.2 s to import
        InvalidSource,
        SqlRetriever,
    )

    try:
        retriever = SqlRetriever(source.url, source.query, folder=file.parent)
        opened.push_async_callback(retriever.aclose)
        await retriever.check()
    except InvalidSource as error:
        raise ConfigError.at(file, ((*place, error.setting), str(error))) from error
    return retriever
