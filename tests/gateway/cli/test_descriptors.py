"""How many connections a process may have at a time."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Start

USUAL = 1_024
"""What a process has that nobody has given more, or less where the system grants less."""


@pytest.fixture
def usual() -> Iterator[int]:
    """Have what is started begin with the usual limit; the most that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(USUAL, hard), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limit_of(pid: int) -> str:
    """Return the soft limit of a process's descriptors, from /proc."""
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max open files"):
            return line.split()[3]
    raise AssertionError(f"{pid} has no limit")


@pytest.mark.parametrize("command", ["node", "gateway"])
async def test_a_server_takes_as_many_descriptors_as_it_may(
    start: Start, usual: int, command: str
) -> None:
    serving = await start(command, "--listen", "127.0.0.1:0")
    await serving.until(r"serves|asks")
    most = "unlimited" if usual == resource.RLIM_INFINITY else str(usual)
    assert limit_of(serving.process.pid) == most
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(USUAL, usual)
