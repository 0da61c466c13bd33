"""How connections and statements end, and what takes their place."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from sources.databases import SERVERS, Place, sqlite_place, until

from cache_core import SourceUnavailable

SLEEPING = {
    "postgres": "SELECT CAST(:key AS text) AS k FROM pg_sleep(CASE :key WHEN 'slow' THEN 60"
    " ELSE 0 END)",
    "mariadb": "SELECT CONCAT(:key, '') AS k FROM (SELECT 1) AS o"
    " WHERE :key <> 'slow' OR SLEEP(60) = 0",
}
RUNNING = {
    "postgres": "SELECT pid FROM pg_stat_activity WHERE state = 'active'"
    " AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP%'"
    " AND id <> CONNECTION_ID()",
}


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS, indirect=True)
async def test_a_cancelled_query_ends_in_the_server_and_the_pool_is_whole(place: Place) -> None:
    slow = place.open(query=SLEEPING[place.kind], pool_size=2, statement_timeout=30)
    for _ in range(3):
        asking = [asyncio.create_task(slow.retrieve("slow")) for _ in range(2)]

        async def is_running(count: int) -> bool:
            return len(await place.execute(RUNNING[place.kind])) == count

        await until(lambda: is_running(2))
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: is_running(0))
    answers = await asyncio.gather(*(slow.retrieve(f"{number}") for number in range(6)))
    assert answers == [b"%d" % number for number in range(6)]


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS, indirect=True)
async def test_a_statement_ends_at_its_timeout(place: Place) -> None:
    slow = place.open(query=SLEEPING[place.kind], statement_timeout=0.3)
    with pytest.raises(SourceUnavailable):
        await slow.retrieve("slow")
    assert await slow.retrieve("x") == b"x"


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS, indirect=True)
async def test_a_query_that_the_server_ends_may_be_tried_again(place: Place) -> None:
    slow = place.open(query=SLEEPING[place.kind], statement_timeout=30)
    asking = asyncio.create_task(slow.retrieve("slow"))

    async def is_running() -> bool:
        return bool(await place.execute(RUNNING[place.kind]))

    await until(is_running)
    ((number,),) = await place.execute(RUNNING[place.kind])
    postgres = place.kind == "postgres"
    await place.execute(
        f"SELECT pg_cancel_backend({number})" if postgres else f"KILL QUERY {number}"
    )
    with pytest.raises(SourceUnavailable):
        await asking
    assert await slow.retrieve("x") == b"x"


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS, indirect=True)
async def test_no_more_connections_are_open_than_the_pool_has(place: Place) -> None:
    things = place.open(query="SELECT value FROM things WHERE name = :key", pool_size=2)
    await asyncio.gather(*(things.retrieve(f"k{number}") for number in range(50)))
    counting = {
        "postgres": "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mariadb": "SELECT count(*) FROM information_schema.processlist"
        " WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    }
    ((count,),) = await place.execute(counting[place.kind])
    assert 1 <= count <= 2


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS, indirect=True)
async def test_a_connection_that_the_server_closed_is_replaced_within_the_call(
    place: Place,
) -> None:
    await place.fill("INSERT INTO things VALUES ('Tom', '1')")
    things = place.open(query="SELECT value FROM things WHERE name = :key", pool_size=1)
    assert await things.retrieve("Tom") == b"1"
    if place.kind == "postgres":
        await place.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    else:
        ((number,),) = await place.execute(
            "SELECT id FROM information_schema.processlist"
            " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        )
        await place.execute(f"KILL {number}")
    assert await things.retrieve("Tom") == b"1"


async def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    async with sqlite_place(tmp_path) as place:
        await place.fill("INSERT INTO things VALUES ('Tom', 'old')")
        things = place.open(query="SELECT value FROM things WHERE name = :key")
        assert await things.retrieve("Tom") == b"old"
        new = tmp_path / "new.db"
        with contextlib.closing(sqlite3.connect(new)) as connection, connection:
            connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, value BLOB)")
            connection.execute("INSERT INTO things VALUES ('Tom', 'new')")
        new.rename(tmp_path / "own.db")
        assert await things.retrieve("Tom") == b"new"
        await things.aclose()
