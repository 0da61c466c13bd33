"""A caching proxy as a process of the test's own, with all its files in one folder."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest


@contextlib.asynccontextmanager
async def running(command: Sequence[str | Path], package: str, ready: bytes) -> AsyncIterator[None]:
    """Run `command` until the end of the block, which begins once it has said `ready`.

    Skips the test where the Debian `package` is not installed.
    """
    program, *arguments = command
    # Debian's daemons are in /usr/sbin, which is not in every user's path.
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed (Debian's {package})")
    process = await asyncio.create_subprocess_exec(
        path, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    said = b""
    try:
        while ready not in said:
            line = await process.stderr.readline()
            assert line, f"{program} has ended: {said.decode()}"
            said += line
        rest = asyncio.create_task(process.stderr.read())  # else it would block on a full pipe
        yield
    finally:
        if process.returncode is None:
            process.terminate()  # which it passes on to its children
            await process.wait()
    await rest
