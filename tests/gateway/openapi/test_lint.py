"""The OpenAPI document by Redocly's recommended rules, warnings included."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

REDOCLY = shutil.which("redocly")
DOCUMENT = Path(__file__).parents[3] / "openapi" / "openapi.json"

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(REDOCLY is None, reason="needs npm's @redocly/cli"),
]


async def test_redocly_has_nothing_to_say_of_the_document(tmp_path: Path) -> None:
    assert REDOCLY is not None
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    linter = await asyncio.create_subprocess_exec(
        *(REDOCLY, "lint", "--extends", "recommended", "--format", "github-actions", DOCUMENT),
        env={**os.environ, **quiet},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await linter.communicate()
    assert linter.returncode == 0, stderr.decode()
    assert stdout.decode().strip() == ""
