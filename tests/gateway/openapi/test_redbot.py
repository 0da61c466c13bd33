"""REDbot, which lints HTTP, finds no fault with the gateway's answers."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeSource

pytestmark = pytest.mark.slow

REDBOT = Path(sys.executable).with_name("redbot")

NO_FILENAME = "DISPOSITION_OMITS_FILENAME"
"""The name that a browser makes of the URL is the key's, which is as good as any."""

INLINE = "CSP_UNSAFE_INLINE"
"""Both pages are FastAPI's, which begin with a script and a style of their own."""

MEANT = "STATUS_BAD_REQUEST"
"""It is one."""


async def warnings_about(url: str) -> tuple[int, set[str]]:
    """Return the status of what REDbot got there, and its notes that are no good news."""
    process = await asyncio.create_subprocess_exec(
        REDBOT, "-o", "har", url, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    (entry,) = json.loads(said)["log"]["entries"]
    notes = {note["note_id"]: note["level"] for note in with_subnotes(entry["_red_messages"])}
    assert "DATE_CORRECT" in notes  # it did look
    worse = {name for name, level in notes.items() if level not in {"GOOD", "INFO"}}
    return entry["response"]["status"], worse


def with_subnotes(notes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for note in notes:
        yield note
        yield from with_subnotes(note.get("subnotes", []))


@pytest.mark.parametrize(
    ("target", "status", "explained"),
    [
        ("/groups/scores/keys/Tom", 200, set()),
        ("/groups/scores/keys/large", 200, set()),
        ("/groups/scores/keys/binary?alt=media", 200, {NO_FILENAME}),
        ("/groups/scores/keys/large?alt=media", 200, {NO_FILENAME}),
        ("/groups/scores/keys?key=..", 200, set()),
        ("/groups/scores/keys/NotExist", 404, set()),
        ("/groups/scores/keys/", 400, {MEANT}),
        ("/openapi.json", 200, set()),
        ("/docs", 200, {INLINE}),
        ("/redoc", 200, {INLINE}),
        ("/docs/assets/swagger-ui.css", 200, set()),
    ],
)
async def test_redbot_warns_of_nothing_but_what_is_meant(
    gateway_url: str, source: FakeSource, target: str, status: int, explained: set[str]
) -> None:
    source.values["large"] = b"large " * 1000
    assert await warnings_about(gateway_url + target) == (status, explained)
