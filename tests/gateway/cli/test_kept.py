"""Children that are kept running; here they are shell scripts."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cache_core.address import Address
from gateway.cli.processes.shared_port import Listener, SharedPort
from gateway.cli.processes.supervisor import Kept

pytestmark = pytest.mark.usefixtures("shell")

ENDS_AT_ONCE = "echo ready"
SERVES = "echo ready; exec cat"


@contextlib.asynccontextmanager
async def keeping(kept: Kept) -> AsyncIterator[None]:
    await kept.start()
    task = asyncio.create_task(kept.keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await kept.stop(grace=5)


async def test_one_whose_new_start_fails_is_tried_until_it_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gateway.cli.processes.supervisor.LONGEST_PAUSE", 0.01)
    starts = tmp_path / "starts"
    script = (
        f"echo >>{starts}; case $(wc -l <{starts}) in "
        f"1) {ENDS_AT_ONCE};; 2|3) exit 1;; *) {SERVES};; esac"
    )
    said: asyncio.Queue[str] = asyncio.Queue()
    kept = Kept("node 1", [script], say=said.put_nowait)
    async with keeping(kept):
        lines = [await said.get() for _ in range(4)]
        assert kept.serves
    again = "node 1 can't start; it is tried again in 0.01 s"
    assert lines == ["node 1 has ended; it is started again", again, again, "node 1 serves again"]


@pytest.mark.parametrize("has_fellow", [False, True])
async def test_others_are_said_to_go_on_only_where_others_serve(*, has_fellow: bool) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    crew: list[Kept] = []
    crew += [Kept("worker 1", [ENDS_AT_ONCE], crew, say=said.put_nowait)]
    crew += [Kept("worker 2", [SERVES], crew)]
    if has_fellow:
        await crew[1].start()
    async with keeping(crew[0]):
        others = "the others go on, and " if has_fellow else ""
        assert await said.get() == f"worker 1 has ended; {others}it is started again"
    await crew[1].stop(grace=5)


async def test_while_one_pauses_no_connection_waits_for_it() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    with SharedPort(Address("127.0.0.1", 0)) as port:
        listener = Listener(port)
        kept = Kept("worker 1", [ENDS_AT_ONCE], listener=listener, say=said.put_nowait)
        async with keeping(kept):
            assert (await said.get()).endswith("it is started again")
            socket.create_connection(port.address, timeout=5).close()
            while not (await said.get()).endswith("it is started again in 1 s"):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(port.address, timeout=5)
        listener.shut()
