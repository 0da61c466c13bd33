"""Processes that a supervisor starts and ends; here they are shell scripts."""

import asyncio
import os
from pathlib import Path

import pytest

from gateway.cli.failure import Failure
from gateway.cli.processes.children import Child

pytestmark = pytest.mark.usefixtures("shell")

UNTIL_TOLD = "echo ready; exec cat"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe by which a script tells its process's id."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


async def told(fifo: Path) -> int:
    return int(await asyncio.to_thread(fifo.read_text))


async def test_one_that_is_told_to_stop_has_its_whole_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.cli.processes.children.STOP_MARGIN", 0)
    child = await Child.start("node", ["echo ready; cat; sleep 0.05"])
    await child.stop(grace=30)
    assert child.ending == "has ended"


async def test_one_that_does_not_stop_within_its_grace_is_killed(
    monkeypatch: pytest.MonkeyPatch, fifo: Path
) -> None:
    monkeypatch.setattr("gateway.cli.processes.children.STOP_MARGIN", 0)
    child = await Child.start("node", [f"echo ready; exec cat {fifo}"])
    await asyncio.wait_for(child.stop(grace=0), 5)
    assert child.ending == "was ended by SIGKILL"


async def test_a_start_that_is_given_up_leaves_no_process(fifo: Path) -> None:
    script = f"sleep 0.02; echo $$ >{fifo}; exec cat"
    starting = asyncio.create_task(Child.start("node", [script]))
    pid = await told(fifo)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not Path(f"/proc/{pid}").exists()


async def test_one_that_ends_before_it_serves_hands_its_status_on_and_has_said_why() -> None:
    with pytest.raises(Failure) as failed:
        await Child.start("node", ["exit 2"])
    assert (str(failed.value), failed.value.exit_status) == ("", 2)


async def test_one_that_is_killed_before_it_serves_is_named() -> None:
    with pytest.raises(Failure, match=r"^node was ended by SIGKILL before it served$") as failed:
        await Child.start("node", ["kill -9 $$"])
    assert failed.value.exit_status == 1


async def test_a_ctrl_c_at_the_terminal_does_not_reach_it(fifo: Path) -> None:
    starting = asyncio.create_task(Child.start("node", [f"echo $$ >{fifo}; {UNTIL_TOLD}"]))
    pid = await told(fifo)
    child = await starting
    assert os.getpgid(pid) != os.getpgid(0)
    await child.stop(grace=5)
