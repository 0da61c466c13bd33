"""A Ctrl-C while a command starts ends it without a word."""

import re
import signal

import pytest
from processes import Serving, Start


async def until_imported(serving: Serving, module: str) -> str:
    """Read the interpreter's own account of its imports until `module` is among them."""
    assert serving.process.stderr is not None
    account = ""
    while not re.search(rf"\| +{re.escape(module)}\n", account):
        line = await serving.process.stderr.readline()
        assert line, account
        account += line.decode()
    return account


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "module", "status"),
    [
        ("up", "asyncio.events", 130),
        ("node", "typer.models", 130),
        ("node", "hpack.exceptions", 130),
        ("node", "sqlalchemy.exc", 0),  # its event loop runs, and stops in order
        ("gateway", "hpack.exceptions", 130),
        ("gateway", "fastapi.exceptions", 130),
    ],
)
async def test_a_ctrl_c_while_modules_are_imported(
    start: Start, command: str, module: str, status: int
) -> None:
    serving = await start(command, "--listen", "127.0.0.1:0", PYTHONPROFILEIMPORTTIME="1")
    await until_imported(serving, module)
    ended = await serving.stop(signal.SIGINT)
    assert ended.status == status
    assert [line for line in ended.stderr.splitlines() if not line.startswith("import time:")] == []
