"""What a store of files does, and which paths it may be asked for. Knows no disk and no network."""

import re
from typing import Final, NamedTuple, Protocol

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LEADS_ASTRAY: Final = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class File(NamedTuple):
    """What a store has at a path.

    `version` is the store's name for these bytes, empty where it has none; `data` is None where
    the version is the one that was held already; `media_type` is empty where the store knows none.
    """

    data: bytes | None
    version: str
    media_type: str = ""


class FileStore(Protocol):
    """Files by path below one root, of which nothing but plain names is asked."""

    async def read(self, path: str, *, held: str = "") -> File | None:
        """Return what is at `path`, or None; without data if its version is `held`.

        Raises SourceUnavailable, RetrieverFailed.
        """

    async def check(self) -> None:
        """Ask whether the store can serve. Raises InvalidSource, SourceUnavailable."""

    async def aclose(self) -> None:
        """Let go of the store."""


def is_plain(path: str) -> bool:
    """Tell whether `path` is names between slashes that can mean nothing but what they say.

    Not empty names, `.`, `..`, a drive, a backslash, NUL or another control character: those lead
    elsewhere in one store or the other. Nor what UTF-8 can't carry.
    """
    names = path.split("/")
    return (
        not any(name in {"", ".", ".."} for name in names)
        and not _LEADS_ASTRAY.search(path)
        and not _DRIVE.fullmatch(names[0])
    )
