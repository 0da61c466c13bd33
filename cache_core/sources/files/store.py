"""The protocol of a store of files, and the paths that it may be asked for.

Knows no disk and no network.
"""

import re
from typing import Final, NamedTuple, Protocol

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LEADS_ASTRAY: Final = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class File(NamedTuple):
    """A file as a store returns it.

    `version` is the store's name for these bytes, empty where it has none. `data` is None where
    the version is the one that is held already. `media_type` is empty where the store knows none.
    """

    data: bytes | None
    version: str
    media_type: str = ""


class FileStore(Protocol):
    """Files by their paths below one root; it is asked for plain paths alone, see `is_plain`."""

    async def read(self, path: str, *, held: str = "") -> File | None:
        """Return the file at `path`, without data if its version is `held`; None if there is none.

        Raises SourceUnavailable, RetrieverFailed.
        """

    async def check(self) -> None:
        """Ask whether the store can serve. Raises InvalidSource, SourceUnavailable."""

    async def aclose(self) -> None:
        """Let go of the store."""


def is_plain(path: str) -> bool:
    """Tell whether `path` is a row of plain names between slashes.

    A path is not plain if it has an empty name, `.`, `..`, a drive, a backslash, NUL or another
    control character, because these lead elsewhere in one store or the other. Nor is it plain if
    UTF-8 can't carry it.
    """
    names = path.split("/")
    return (
        not any(name in {"", ".", ".."} for name in names)
        and not _LEADS_ASTRAY.search(path)
        and not _DRIVE.fullmatch(names[0])
    )
