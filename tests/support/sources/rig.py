"""What the contract of all retrievers needs of a source: to be filled, broken and mended."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from cache_core.sources import Source


class Rig(Protocol):
    """A real source that a test steers; what it steers is there and empty at first."""

    @property
    def source(self) -> Source:
        """The table that describes it, in which the source says no TTL of its own."""

    @property
    def secret(self) -> str:
        """A password that is in the table and must be seen nowhere; empty if there is none."""

    async def put(self, key: str, data: bytes) -> None:
        """Have `data` for `key`, in place of what was there."""

    async def break_off(self) -> None:
        """Be gone, as a server that is killed; connections that stood are ended."""

    async def mend(self) -> None:
        """Be there again at the same place, with the same data."""

    async def hang(self) -> None:
        """Take what is asked and answer nothing, as a server that is frozen, until `mend`."""

    def wrong_password(self) -> Source | None:
        """Return the table with another password, which is refused; None where there is none."""


MakeRig: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Rig]]
"""Starts a rig whose files are in the folder, and ends it. Skips where the service is missing."""
