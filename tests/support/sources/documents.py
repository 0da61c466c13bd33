"""The sections of the page on sources, and their configs as groups."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import documents

from cache_core import Group
from cache_core.config import load
from cache_core.config.groups import open_groups

PAGE = documents.document("cache_core/sources/README.md")


def section(kind: str) -> str:
    """Return what the page says on sources of a `kind`."""
    return documents.section(PAGE, kind)


def blocks(kind: str, language: str) -> list[str]:
    """Return the code in `language` that the section on sources of a `kind` has."""
    return documents.blocks(section(kind), language)


@contextlib.asynccontextmanager
async def served(config: str, folder: Path) -> AsyncIterator[Group]:
    """Write `config` into the folder and open the one group in it."""
    file = folder / "gaocache.toml"
    file.write_text(config)
    (group,) = await open_groups(load(file), file)
    try:
        yield group
    finally:
        await group.aclose()
