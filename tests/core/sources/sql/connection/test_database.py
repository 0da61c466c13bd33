"""How many connections are open, for how long they are waited for, and when they end."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fakes import settled
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cache_core.sources.sql.connection.database import Database
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault

PLENTY = 30.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(tmp_path / "own.db")) as connection:
        connection.execute("CREATE TABLE things (value TEXT)")
    return tmp_path / "own.db"


def opened(
    file: Path,
    *,
    pool_size: int = 1,
    connect_timeout: float = PLENTY,
    statement_timeout: float = PLENTY,
) -> contextlib.aclosing[Database]:
    database = Database(
        f"sqlite:///{file}",
        folder=Path("/"),
        pool_size=pool_size,
        connect_timeout=connect_timeout,
        statement_timeout=statement_timeout,
    )
    return contextlib.aclosing(database)


async def nothing(_: AsyncConnection) -> str:
    return "done"


async def for_ever(_: AsyncConnection) -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def run_in_the_end(
    database: Database, work: Callable[[AsyncConnection], Awaitable[str]]
) -> str:
    """Run `work`; anew where a busy machine has no time for it within a short time-out."""
    for _ in range(20):
        with contextlib.suppress(DatabaseFault):
            return await database.run(work)
    raise AssertionError("it fails each time")


class Gate:
    """Work that waits to be let through; `crowded` is set where more than `most` are in at once."""

    def __init__(self, most: int) -> None:
        self.full = asyncio.Event()
        self.crowded = asyncio.Event()
        self.open = asyncio.Event()
        self._most = most
        self._inside = 0

    async def work(self, _: AsyncConnection) -> str:
        self._inside += 1
        if self._inside == self._most:
            self.full.set()
        elif self._inside > self._most:
            self.crowded.set()
        await self.open.wait()
        self._inside -= 1
        return "done"


@pytest.mark.parametrize("pool_size", [2, 7])
async def test_so_many_run_at_a_time_as_the_pool_has_and_the_others_wait(
    file: Path, pool_size: int
) -> None:
    gate = Gate(pool_size)
    async with opened(file, pool_size=pool_size) as database:
        running = [asyncio.create_task(database.run(gate.work)) for _ in range(pool_size + 2)]
        await asyncio.wait_for(gate.full.wait(), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.crowded.wait(), 0.1)
        gate.open.set()
        assert await asyncio.gather(*running) == ["done"] * len(running)


async def test_a_call_that_gets_no_connection_in_time_is_unavailable(file: Path) -> None:
    gate = Gate(1)
    async with opened(file, connect_timeout=0.1) as database:
        taking = asyncio.create_task(run_in_the_end(database, gate.work))
        await asyncio.wait_for(gate.full.wait(), 10)
        async with asyncio.timeout(5):
            with pytest.raises(DatabaseFault) as failed:
                await database.run(nothing)
        assert failed.value.blame is Blame.UNAVAILABLE
        gate.open.set()
        assert await taking == "done"


async def test_a_statement_may_take_longer_than_a_connection(file: Path) -> None:
    async def slow(_: AsyncConnection) -> str:
        await asyncio.sleep(0.2)
        return "done"

    async with opened(file, connect_timeout=0.1) as database:
        assert await run_in_the_end(database, slow) == "done"


async def test_a_statement_that_takes_too_long_is_unavailable_and_frees_its_connection(
    file: Path,
) -> None:
    async with opened(file, statement_timeout=0.1) as database, asyncio.timeout(5):
        with pytest.raises(DatabaseFault) as failed:
            await database.run(for_ever)
        assert failed.value.blame is Blame.UNAVAILABLE
        assert await run_in_the_end(database, nothing) == "done"


class Outdated(Exception):
    """PostgreSQL's: the table of a prepared statement was altered."""

    sqlstate = "0A000"


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (DBAPIError("", None, Exception("gone"), connection_invalidated=True), 2),
        (DBAPIError("", None, Outdated()), 2),
        (DBAPIError("", None, Exception("no such table")), 1),
    ],
)
async def test_what_fails_for_a_stale_connection_is_tried_once_more(
    file: Path, error: DBAPIError, calls: int
) -> None:
    called = 0

    async def failing(_: AsyncConnection) -> str:
        nonlocal called
        called += 1
        raise error

    async with opened(file) as database:
        with pytest.raises(DatabaseFault):
            await database.run(failing)
    assert called == calls


async def test_a_second_try_that_works_is_the_answer(file: Path) -> None:
    called = 0

    async def failing_once(_: AsyncConnection) -> str:
        nonlocal called
        called += 1
        if called == 1:
            raise DBAPIError("", None, Exception("gone"), connection_invalidated=True)
        return "done"

    async with opened(file) as database:
        assert await database.run(failing_once) == "done"


async def test_a_database_that_is_closed_has_no_connection_left(file: Path) -> None:
    before = set(threading.enumerate())
    async with opened(file, pool_size=3) as database:
        assert await asyncio.gather(*(database.run(nothing) for _ in range(9))) == ["done"] * 9
        started = set(threading.enumerate()) - before
        assert started  # SQLite's connections have a thread each
    for thread in started:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in started)


async def test_closing_waits_until_what_was_given_up_has_ended(file: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def tidying(_: AsyncConnection) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await go_on.wait()
            ended.append("work")
        raise AssertionError

    async with opened(file) as database:
        running = asyncio.create_task(database.run(tidying))
        await asyncio.wait_for(begun.wait(), 10)
        running.cancel()
        await asyncio.wait({running})
        closing = asyncio.create_task(database.aclose())
        closing.add_done_callback(lambda _: ended.append("closing"))
        await settled()
        assert ended == []
        go_on.set()
        await closing
        await settled()
    assert ended == ["work", "closing"]
