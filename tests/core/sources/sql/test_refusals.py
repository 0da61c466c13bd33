"""A server that lets nobody in: what is told at the check and to callers, and how it is asked."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sources.refusing_postgres import HOST, RefusingPostgres, refusing_postgres

from cache_core import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.sql.retriever import SqlRetriever
from cache_core.sources.sql.settings import SqlSource


@pytest.fixture
async def postgres() -> AsyncIterator[RefusingPostgres]:
    async with refusing_postgres() as serving:
        yield serving


def opened(postgres: RefusingPostgres) -> contextlib.aclosing[SqlRetriever]:
    url = f"postgresql://tom:hunter2@{HOST}:{postgres.port}/d"
    source = SqlSource(url=url, query="SELECT :key")
    return contextlib.aclosing(SqlRetriever(source, folder=Path("/")))


@pytest.mark.parametrize("sqlstate", ["28P01", "3D000"])
async def test_a_user_who_is_refused_is_the_urls_fault(
    postgres: RefusingPostgres, sqlstate: str
) -> None:
    postgres.sqlstate = sqlstate
    async with opened(postgres) as retriever:
        with pytest.raises(InvalidSource, match="refused the user, the password") as refused:
            await retriever.check()
        assert refused.value.setting == "url"
        with pytest.raises(RetrieverFailed, match="refused the user, the password") as failed:
            await retriever.retrieve("Tom")
        assert not isinstance(failed.value, SourceUnavailable)
    assert "hunter2" not in f"{refused.value} {failed.value}"


async def test_a_user_who_is_refused_is_so_as_often_for_a_batch_as_for_a_key(
    postgres: RefusingPostgres,
) -> None:
    async with opened(postgres) as retriever:
        with pytest.raises(RetrieverFailed):
            await retriever.retrieve_many(["Tom"])
        once, postgres.users = postgres.users, 0
        with pytest.raises(RetrieverFailed):
            await retriever.retrieve_many([f"k{number}" for number in range(100)])
    assert postgres.users == once


@pytest.mark.parametrize("sqlstate", ["53300", "57P03"])
async def test_a_server_that_can_not_let_anybody_in_now_is_unavailable(
    postgres: RefusingPostgres, sqlstate: str
) -> None:
    postgres.sqlstate = sqlstate
    async with opened(postgres) as retriever:
        with pytest.raises(SourceUnavailable, match="the database can't answer now"):
            await retriever.check()
        with pytest.raises(SourceUnavailable, match="the database can't answer now"):
            await retriever.retrieve_many(["Tom", "Jack"])
