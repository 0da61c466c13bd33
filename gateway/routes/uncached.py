"""Answers that are true for a moment only, which nobody may keep."""

from typing import Final

from fastapi import Depends
from starlette.responses import Response


async def _forbid_storing(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


UNCACHED: Final = Depends(_forbid_storing)
"""For a router whose answers nobody may keep."""
