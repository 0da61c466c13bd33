"""Groups as the settings describe them, with their retrievers."""

from pathlib import Path

from cache_core.config import ConfigError, Settings, SqlSource
from cache_core.group import Group
from cache_core.retriever import Retriever


def open_groups(settings: Settings, file: Path) -> list[Group]:
    """Return the groups that `settings`, read from `file`, describes.

    A relative path in them starts at the file's folder. Raises ConfigError.
    """
    return [
        Group(
            name,
            _open_retriever(group.source, file=file, place=f"groups.{name}.source"),
            capacity=group.capacity,
        )
        for name, group in settings.groups.items()
    ]


def _open_retriever(source: SqlSource, *, file: Path, place: str) -> Retriever:
    from cache_core.retrievers.sql import (  # noqa: PLC0415 - SQLAlchemy takes 0.2 s to import
        InvalidSource,
        SqlRetriever,
    )

    try:
        return SqlRetriever(source.url, source.query, folder=file.parent)
    except InvalidSource as error:
        raise ConfigError(f"{file}: {place}.{error.setting}: {error}") from error
