"""What a connection is, by the URL that a user wrote: with TLS or without, in which charset."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sources.refusing_postgres import HOST, RefusingPostgres, refusing_postgres

from cache_core.sources.sql.connection.database import Database
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault
from cache_core.sources.sql.connection.url import open_engine


@pytest.fixture
async def postgres() -> AsyncIterator[RefusingPostgres]:
    async with refusing_postgres() as serving:
        yield serving


async def blamed(postgres: RefusingPostgres, options: str) -> Blame:
    """Return the blame for what comes of connecting."""
    database = Database(
        f"postgresql://tom:hunter2@{HOST}:{postgres.port}/d{options}",
        folder=Path("/"),
        pool_size=1,
        connect_timeout=10,
        statement_timeout=10,
    )
    async with contextlib.aclosing(database):
        with pytest.raises(DatabaseFault) as failed:
            await database.run(lambda connection: connection.get_raw_connection())
    return failed.value.blame


async def test_a_server_without_tls_learns_nothing_where_tls_is_required(
    postgres: RefusingPostgres,
) -> None:
    assert await blamed(postgres, "?sslmode=require") is Blame.UNAVAILABLE
    assert postgres.wanted_tls
    assert not postgres.users


async def test_tls_is_only_tried_where_nothing_is_said(postgres: RefusingPostgres) -> None:
    assert await blamed(postgres, "") is Blame.ACCESS
    assert postgres.wanted_tls
    assert postgres.users


async def test_no_tls_is_asked_for_where_it_is_switched_off(postgres: RefusingPostgres) -> None:
    assert await blamed(postgres, "?sslmode=disable") is Blame.ACCESS
    assert not postgres.wanted_tls
    assert postgres.users


@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_mysql_is_asked_in_all_of_unicode(kind: str) -> None:
    engine = open_engine(f"{kind}://tom@h/d", folder=Path("/"))
    assert engine.url.query["charset"] == "utf8mb4"
