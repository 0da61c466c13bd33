"""Calls whose callers have left: they end, in the end, and whoever closes waits for that."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import make_url, text

from cache_core.sources.sql.connection.cancelling import Endings, execute


class Hanging:
    """A connection to a MySQL at `port` in which a statement never ends."""

    def __init__(self, port: int) -> None:
        self.dialect = SimpleNamespace(name="mysql")
        self.engine = SimpleNamespace(url=make_url(f"mysql+asyncmy://tom@127.0.0.1:{port}/d"))
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def execute(self, *_: object) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def get_raw_connection(self) -> Any:  # noqa: ANN401 - a driver's own
        return SimpleNamespace(driver_connection=SimpleNamespace(thread_id=lambda: 7))


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_cancelled_statement_ends_though_its_server_can_not_be_told(
    monkeypatch: pytest.MonkeyPatch, *, is_silent: bool
) -> None:
    monkeypatch.setattr("cache_core.sources.sql.connection.cancelling.KILL_SECONDS", 0.05)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if is_silent:
            listening.listen()  # it takes connections, and says nothing to them
        connection = Hanging(listening.getsockname()[1])
        running = asyncio.create_task(_execute(connection))
        await asyncio.wait_for(connection.began.wait(), 5)
        running.cancel()
        ended, _ = await asyncio.wait({running}, timeout=5)
        assert ended
        assert running.cancelled()
        assert connection.ended.is_set()


async def test_a_caller_that_is_cancelled_twice_leaves_no_statement_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("KILL_SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(f"cache_core.sources.sql.connection.cancelling.{name}", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        connection = Hanging(silent.getsockname()[1])
        running = asyncio.create_task(_execute(connection))
        await asyncio.wait_for(connection.began.wait(), 5)
        running.cancel()
        killer, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(silent), 5)
        running.cancel()
        ended, _ = await asyncio.wait({running}, timeout=5)
        killer.close()
        assert ended
        assert running.cancelled()
        assert connection.ended.is_set()


class Late(Hanging):
    """A connection to an SQLite in which a statement ends by the fifth interrupt."""

    def __init__(self) -> None:
        super().__init__(0)
        self.dialect = SimpleNamespace(name="sqlite")
        self.interrupts = 0
        self._over = asyncio.Event()

    async def execute(self, *_: object) -> None:
        self.began.set()
        await self._over.wait()
        self.ended.set()

    async def get_raw_connection(self) -> Any:  # noqa: ANN401 - a driver's own
        async def interrupt() -> None:
            self.interrupts += 1
            if self.interrupts == 5:
                self._over.set()

        return SimpleNamespace(driver_connection=SimpleNamespace(interrupt=interrupt))


async def test_a_statement_whose_caller_is_cancelled_twice_is_interrupted_on() -> None:
    connection = Late()
    running = asyncio.create_task(_execute(connection))
    await asyncio.wait_for(connection.began.wait(), 5)
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    ended, _ = await asyncio.wait({running}, timeout=5)
    assert ended
    assert running.cancelled()
    assert (connection.ended.is_set(), connection.interrupts) == (True, 5)


async def _execute(connection: Hanging) -> object:
    return await execute(cast("Any", connection), text("SELECT 1"), {})


class Stubborn:
    """A call that goes on though it is cancelled, `times` times, and until it is let `go`."""

    def __init__(self, times: int) -> None:
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.has_ended = False
        self._times = times

    async def call(self) -> None:
        self.began.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not self._times:
                    break
                self._times -= 1
        await self.go.wait()
        self.has_ended = True


async def left(endings: Endings, stubborn: Stubborn) -> None:
    """Have a caller leave it."""
    caller = asyncio.create_task(endings.run(stubborn.call()))
    await stubborn.began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_caller_that_leaves_waits_for_nothing_and_whoever_closes_does() -> None:
    endings, stubborn = Endings(), Stubborn(0)
    async with asyncio.timeout(5):
        await left(endings, stubborn)
        closing = asyncio.create_task(endings.wait())
        await asyncio.sleep(0)
        assert not closing.done()
        stubborn.go.set()
        await closing
    assert stubborn.has_ended


async def test_a_call_that_swallows_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cache_core.sources.sql.connection.cancelling.PATIENCE_SECONDS", 0.01)
    endings, stubborn = Endings(), Stubborn(2)
    stubborn.go.set()
    async with asyncio.timeout(5):
        await left(endings, stubborn)
        await endings.wait()
    assert stubborn.has_ended


async def test_a_call_that_ends_by_itself_has_its_result() -> None:
    async def call() -> str:
        return "done"

    endings = Endings()
    assert await endings.run(call()) == "done"
    await endings.wait()
