import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from fakes import ALL_BYTES
from sources.databases import until

from cache_core import (
    Client,
    DeadlineExceeded,
    Group,
    Node,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
)
from cache_core.sources.sql.retriever import SqlRetriever
from cache_core.sources.sql.settings import SqlSource
from cache_core.value import Value

QUERY = "SELECT score FROM scores WHERE name = :key"
POOL_SIZE = 15
NEVER_ENDING_IF_SLOW = """
WITH RECURSIVE steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE :key = 'slow')
SELECT max(n) FROM steps
"""


def opened_at(url: str, query: str, folder: Path = Path("/")) -> SqlRetriever:
    return SqlRetriever(SqlSource(url=url, query=query), folder=folder)


@pytest.fixture
async def retriever(scores_db: Path) -> AsyncIterator[SqlRetriever]:
    with closing(sqlite3.connect(scores_db)) as connection, connection:
        rows = [("bytes", ALL_BYTES), ("int", 7), ("real", 1.5), ("null", None), ("", "none")]
        connection.executemany("INSERT INTO scores VALUES (?, ?)", rows)
    opened = opened_at("sqlite:///scores.db", QUERY, scores_db.parent)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Tom", b"630"),
        ("bytes", ALL_BYTES),
        ("int", b"7"),
        ("real", b"1.5"),
        ("null", None),
        ("NotExist", None),
        ("Tom' OR '1'='1", None),
        ("Tom'; DROP TABLE scores; --", None),
        ("T%", None),
        ("Tom\0", None),
    ],
)
async def test_the_first_rows_one_column_is_the_value_and_the_key_is_only_ever_bound(
    retriever: SqlRetriever, key: str, value: bytes | None
) -> None:
    assert await retriever.retrieve(key) == value
    assert await retriever.retrieve("Tom") == b"630"


async def test_a_change_in_the_database_is_seen(scores_db: Path, retriever: SqlRetriever) -> None:
    assert await retriever.retrieve("Tom") == b"630"
    with closing(sqlite3.connect(scores_db)) as connection, connection:
        connection.execute("UPDATE scores SET score = '1' WHERE name = 'Tom'")
    assert await retriever.retrieve("Tom") == b"1"


async def test_a_query_that_writes_is_refused(scores_db: Path) -> None:
    query = "DELETE FROM scores WHERE name = :key RETURNING score"
    deleter = opened_at(f"sqlite:///{scores_db}", query)
    with pytest.raises(RetrieverFailed, match="the database refused the query"):
        await deleter.retrieve("Tom")
    await deleter.aclose()
    with closing(sqlite3.connect(scores_db)) as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (4,)


async def test_several_columns_are_a_json_document(scores_db: Path) -> None:
    two = opened_at(f"sqlite:///{scores_db}", "SELECT name, score FROM scores WHERE name = :key")
    found = await two.retrieve("Tom")
    assert isinstance(found, Value)
    assert found.data == b'{"name":"Tom","score":"630"}'
    assert found.terms.content_type == "application/json"
    await two.aclose()


async def test_a_database_that_comes_back_is_asked_again(scores_db: Path) -> None:
    retriever = opened_at(f"sqlite:///{scores_db}", QUERY)
    away = scores_db.rename(scores_db.with_suffix(".away"))
    with pytest.raises(SourceUnavailable, match=r"^the database can't answer now$"):
        await retriever.retrieve("Tom")
    away.rename(scores_db)
    assert await retriever.retrieve("Tom") == b"630"
    await retriever.aclose()


async def test_a_path_with_odd_characters_is_opened(scores_db: Path) -> None:
    odd = scores_db.rename(scores_db.with_name("a b%41#?.db"))
    retriever = opened_at(f"sqlite:///{quote(str(odd))}", QUERY)
    assert await retriever.retrieve("Tom") == b"630"
    await retriever.aclose()


@pytest.fixture
async def slow(scores_db: Path) -> AsyncIterator[SqlRetriever]:
    """A retriever that never answers for the key `slow`."""
    opened = opened_at(f"sqlite:///{scores_db}", NEVER_ENDING_IF_SLOW)
    await opened.check()
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("turns", [1, 5, 50])
async def test_a_cancelled_query_ends_and_its_connection_is_free_again(
    slow: SqlRetriever, turns: int
) -> None:
    asking = [asyncio.create_task(slow.retrieve("slow")) for _ in range(POOL_SIZE)]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * POOL_SIZE
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(slow.retrieve(f"{n}") for n in range(POOL_SIZE)))
    assert answers == [b"1"] * POOL_SIZE


async def test_a_node_stops_while_queries_run_that_would_never_end(
    slow: SqlRetriever, sent: list[str]
) -> None:
    node = Node("127.0.0.1:0", [Group("g", slow)], grace=0.1)
    await node.start()
    async with Client(node.address, timeout=0.2) as client:
        sent.clear()
        running = asyncio.create_task(client.get("g", "slow", timeout=30))

        async def is_asked() -> bool:
            return bool(sent)

        await until(is_asked)  # else the other key would be of its batch
        with pytest.raises(DeadlineExceeded):
            await client.get("g", "slow")
        assert (await client.get("g", "quick", timeout=5)).data == b"1"
        async with asyncio.timeout(2):
            await node.stop()
        with pytest.raises(PeerUnavailable):
            await running
