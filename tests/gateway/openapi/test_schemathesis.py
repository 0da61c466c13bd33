"""Schemathesis, all of its checks: whatever it sends, the gateway keeps to its document."""

import asyncio
import sys
from pathlib import Path

import pytest

ST = Path(sys.executable).with_name("st")
CONFIG = Path(__file__).with_name("schemathesis.toml")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not ST.exists(), reason="needs the extra `dev`"),
]


async def test_whatever_is_sent_is_answered_as_documented(gateway_url: str, tmp_path: Path) -> None:
    st = await asyncio.create_subprocess_exec(
        *(ST, "--no-color", "--config-file", CONFIG, "run", f"{gateway_url}/openapi.json"),
        *("--checks", "all", "--seed", "1", "--max-examples", "10"),
        # No answer has what another request needs: there is no stateful phase to run.
        *("--phases", "examples,coverage,fuzzing", "--continue-on-failure"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await st.communicate()
    assert st.returncode == 0, said.decode()
