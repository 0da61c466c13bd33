"""The README's section on a kind of source, and its config as groups."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

from cache_core import Group
from cache_core.config import load
from cache_core.config.groups import open_groups

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def section(kind: str) -> str:
    """Return what the README says on sources of a `kind`."""
    after = README.split(f"\n### {kind}\n", 1)[1]
    return re.split(r"^##+ ", after, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(kind: str, language: str) -> list[str]:
    """Return the code in `language` that the section on sources of a `kind` has."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, section(kind), flags=re.MULTILINE | re.DOTALL)


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
