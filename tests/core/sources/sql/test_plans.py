"""What a table or a query is asked for, and which rows count."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from sources.databases import Place, sqlite_place
from sqlalchemy import Row, make_url, types
from sqlalchemy.dialects.mysql import TINYINT
from sqlalchemy.dialects.postgresql import INT4RANGE
from sqlalchemy.types import TypeEngine

from cache_core import RetrieverFailed, Value
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.sql.query import QueryPlan
from cache_core.sources.sql.rows import Column, ColumnKind
from cache_core.sources.sql.statement import parse
from cache_core.sources.sql.table import TableForm, TablePlan, kind_of

COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "id": types.Integer(),
    "free": INT4RANGE(),
    "note": types.Text(),
}


def planned() -> TablePlan:
    return TableForm(("rooms",), ("id",), None, "/").plan(COLUMNS, "postgresql")


def rows(*given: tuple[object, ...]) -> list[Row[Any]]:
    return cast("list[Row[Any]]", list(given))


def test_what_the_driver_has_no_text_for_the_database_writes_as_text() -> None:
    asked = str(planned().probe().compile(dialect=make_url("postgresql://").get_dialect()()))
    assert 'CAST("rooms"."free" AS TEXT)' in asked
    assert 'CAST("rooms"."note"' not in asked


def test_no_statement_is_sent_where_no_row_can_have_any_of_the_keys() -> None:
    assert planned().question(["x", "01", ""]) is None


def test_a_row_without_a_text_is_its_keys_error_alone() -> None:
    plan = planned()
    found = dict(plan.answers(["1", "2"], rows((1, 1, "a", object()), (2, 2, "b", "good"))))
    assert isinstance(found.pop("1"), RetrieverFailed)
    assert list(found) == ["2"]
    assert not isinstance(found["2"], RetrieverFailed)


@pytest.mark.parametrize(
    ("type_", "dialect", "kind"),
    [
        (TINYINT(display_width=1), "mysql", ColumnKind.BOOLEAN),
        (TINYINT(display_width=4), "mysql", ColumnKind.PLAIN),
        (TINYINT(), "mysql", ColumnKind.PLAIN),
        (types.Boolean(), "sqlite", ColumnKind.BOOLEAN),
        (types.JSON(), "mysql", ColumnKind.JSON),
        (types.ARRAY(INT4RANGE()), "postgresql", ColumnKind.CAST),
        (types.ARRAY(types.Integer()), "postgresql", ColumnKind.PLAIN),
        (types.NullType(), "postgresql", ColumnKind.CAST),
        (types.NullType(), "sqlite", ColumnKind.PLAIN),
    ],
)
def test_a_column_is_of_a_kind(type_: TypeEngine[Any], dialect: str, kind: ColumnKind) -> None:
    assert kind_of(type_, dialect) is kind


def test_a_query_that_names_two_columns_alike_is_refused() -> None:
    query = parse("SELECT 1 AS a, 2 AS a, :key AS b", "postgresql")
    with pytest.raises(InvalidSource, match="it gives a twice, name one with AS") as refused:
        QueryPlan(query, str, [Column("a"), Column("a"), Column("b")])
    assert refused.value.setting == "query"


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[Place]:
    """A table with several rows of a name."""
    async with sqlite_place(tmp_path) as place, contextlib.aclosing(place):
        await place.fill(
            "CREATE TABLE scores (name TEXT, score INTEGER)",
            "INSERT INTO scores VALUES ('Tom', 2), ('Jack', 5), ('Tom', 3), ('Tom', 1)",
        )
        yield place


async def test_of_several_rows_of_a_key_the_first_counts(filled: Place) -> None:
    table = filled.open(table="scores", key_column="name", value_column="score")
    assert await table.retrieve_many(["Tom", "Jack"]) == {"Tom": b"2", "Jack": b"5"}
    ordered = "SELECT score FROM scores WHERE name = :key ORDER BY score"
    query = filled.open(query=ordered)
    assert await query.retrieve_many(["Tom", "Jack"]) == {"Tom": b"1", "Jack": b"5"}


async def test_a_comment_in_the_middle_leaves_the_rest_of_a_query(filled: Place) -> None:
    text = "SELECT score FROM scores WHERE name = :key /* the best */ AND score < 2"
    assert await filled.open(query=text).retrieve_many(["Tom", "Jack"]) == {"Tom": b"1"}


async def test_a_key_that_makes_the_statement_fail_fails_alone(filled: Place) -> None:
    smallest = f"{-(2**63)}"
    sizes = filled.open(query="SELECT abs(CAST(:key AS INTEGER)) AS size")
    found = dict(await sizes.retrieve_many(["1", smallest, "-2", "3", "-4"]))
    assert isinstance(found.pop(smallest), RetrieverFailed)
    assert found == {"1": b"1", "-2": b"2", "3": b"3", "-4": b"4"}
    with pytest.raises(RetrieverFailed, match=r"^the database refused the query$"):
        await sizes.retrieve(smallest)


@pytest.mark.parametrize("value_column", [None, "score"])
async def test_a_column_that_is_renamed_is_an_error_and_never_its_own_name(
    filled: Place, value_column: str | None
) -> None:
    scores = filled.open(table="scores", key_column="name", value_column=value_column)
    assert await scores.retrieve("Jack") is not None
    await filled.fill("ALTER TABLE scores RENAME COLUMN score TO points")
    with pytest.raises(RetrieverFailed, match="the database refused the query"):
        await scores.retrieve("Jack")
    if value_column is None:
        found = await scores.retrieve("Jack")
        assert isinstance(found, Value)
        assert found.data == b'{"name":"Jack","points":5}'
    else:
        with pytest.raises(RetrieverFailed, match="there is no column score, use name, points"):
            await scores.retrieve("Jack")
