"""Tables and queries as sources, alike on all databases."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from sources.databases import SERVERS, Place, sqlite_place

from cache_core import RetrieverFailed
from cache_core.loading.retriever import InvalidSource
from cache_core.value import Value


def document(found: object) -> object:
    assert isinstance(found, Value)
    assert found.terms.content_type == "application/json"
    return json.loads(found.data)


async def test_a_row_is_a_document_whose_members_keep_their_types(place: Place) -> None:
    kinds = {
        "sqlite": ("INTEGER", "REAL", "BLOB", "JSON", "TIMESTAMP", "X'00FF'"),
        "postgres": ("BIGINT", "DOUBLE PRECISION", "BYTEA", "JSONB", "TIMESTAMP", "'\\x00ff'"),
        "mariadb": ("BIGINT", "DOUBLE", "BLOB", "TEXT", "DATETIME", "X'00FF'"),
    }
    whole, real, binary, nested, moment, data = kinds[place.kind]
    await place.fill(
        f"CREATE TABLE people (id {whole} PRIMARY KEY, name TEXT, height {real}, photo {binary},"
        f" extra {nested}, seen {moment}, active BOOLEAN, owed NUMERIC(10,2))",
        "INSERT INTO people (id, name, height, photo, extra, seen, active, owed)"
        f""" VALUES (9007199254740993, 'Änn', 1.5, {data}, '{{"a": [1, null]}}',"""
        " '2024-01-02 03:04:05', true, 12.50)",
        "INSERT INTO people (id) VALUES (2)",
    )
    people = place.open(table="people", key_column="id")
    await people.check()
    nested_value = {"a": [1, None]}
    expected = {
        "id": 9007199254740993,
        "name": "Änn",
        "height": 1.5,
        "photo": "AP8=",
        "extra": json.dumps(nested_value) if place.kind == "mariadb" else nested_value,
        "seen": "2024-01-02 03:04:05" if place.kind == "sqlite" else "2024-01-02T03:04:05",
        "active": True,
        "owed": 12.5 if place.kind == "sqlite" else "12.50",
    }
    assert document(await people.retrieve("9007199254740993")) == expected
    assert document(await people.retrieve("2")) == {**dict.fromkeys(expected), "id": 2}


@pytest.mark.parametrize(
    "key", ["01", "1 ", " 1", "+1", "1.0", "1e0", "x", "", "-0", "٣", "1\0", "9" * 30, "--1"]
)
async def test_what_is_not_exactly_an_integer_key_is_no_such_key(place: Place, key: str) -> None:
    await place.fill(
        "CREATE TABLE numbers (id INTEGER PRIMARY KEY, word TEXT)",
        "INSERT INTO numbers VALUES (1, 'one'), (0, 'none'), (-3, 'less')",
    )
    numbers = place.open(table="numbers", key_column="id", value_column="word")
    assert await numbers.retrieve(key) is None
    assert await numbers.retrieve("1") == b"one"
    assert await numbers.retrieve("-3") == b"less"


async def test_text_keys_are_told_apart_to_the_letter(place: Place) -> None:
    await place.fill(
        "CREATE TABLE words (word VARCHAR(20) PRIMARY KEY, value TEXT)",
        "INSERT INTO words VALUES ('Tom', '1'), ('b ', '2')",
    )
    words = place.open(table="words", key_column="word", value_column="value")
    found = await words.retrieve_many(["Tom", "tom", "Tom ", "TÖM", "b", "b "])
    assert found == {"Tom": b"1", "b ": b"2"}


async def test_a_composite_key_has_its_parts_between_separators(place: Place) -> None:
    await place.fill(
        "CREATE TABLE items (orders INTEGER, line VARCHAR(9), sku VARCHAR(9),"
        " PRIMARY KEY (orders, line))",
        "INSERT INTO items VALUES (7, 'a', 'x'), (7, 'b', NULL), (8, 'a', 'z')",
    )
    given = {"table": "items", "key_column": ["orders", "line"], "value_column": "sku"}
    items = place.open(**given)
    keys = ["7/a", "7/b", "8/a", "8/b", "7", "7/a/", "/a", "07/a", "a/7"]
    assert await items.retrieve_many(keys) == {"7/a": b"x", "7/b": None, "8/a": b"z"}
    assert await place.open(**given, key_separator="::").retrieve("8::a") == b"z"


async def test_odd_names_are_quoted(place: Place) -> None:
    mark = "`" if place.kind == "mariadb" else '"'
    table = f"{mark}a.b; DROP% :x '{mark}"
    await place.fill(
        f"CREATE TABLE {table} ({mark}the key{mark} INTEGER PRIMARY KEY, {mark}Väl:ue{mark} TEXT)",
        f"INSERT INTO {table} VALUES (1, 'one')",
    )
    odd = place.open(table=["a.b; DROP% :x '"], key_column="the key", value_column="Väl:ue")
    await odd.check()
    assert await odd.retrieve("1") == b"one"


@pytest.mark.parametrize("form", ["table", "query"])
async def test_a_hundred_keys_are_one_statement(place: Place, form: str, sent: list[str]) -> None:
    rows = ", ".join(f"('k{number}', '{number}')" for number in range(90))
    await place.fill(f"INSERT INTO things VALUES {rows}")
    given: dict[str, object] = {
        "table": {"table": "things", "key_column": "name", "value_column": "value"},
        "query": {"query": "SELECT value FROM things WHERE name = :key -- by name"},
    }[form]  # type: ignore[assignment] # of two dicts' types
    things = place.open(**given)
    await things.check()
    sent.clear()
    found = await things.retrieve_many([f"k{number}" for number in range(100)])
    assert found == {f"k{number}": b"%d" % number for number in range(90)}
    assert len(sent) == 1


async def test_a_batch_of_any_size_is_answered(place: Place) -> None:
    await place.fill("INSERT INTO things VALUES ('k999', 'last')")
    things = place.open(query="SELECT value FROM things WHERE name = :key")
    keys = [f"k{number}" for number in range(1000)]
    assert await things.retrieve_many(keys) == {"k999": b"last"}


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS[:1], indirect=True)
async def test_a_key_that_the_database_fails_at_fails_alone(place: Place) -> None:
    shares = place.open(query="SELECT 10 / CAST(:key AS integer) AS share")
    await shares.check()
    found = dict(await shares.retrieve_many(["1", "2", "0", "5"]))
    assert isinstance(found.pop("0"), RetrieverFailed)
    assert found == {"1": b"10", "2": b"5", "5": b"2"}


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS[:1], indirect=True)
async def test_a_query_takes_keys_of_the_type_that_postgresql_compares(place: Place) -> None:
    await place.fill(
        "CREATE TABLE typed (id INT PRIMARY KEY, u UUID, d DATE, m TIMESTAMPTZ, i INET)",
        "INSERT INTO typed VALUES (1, '00000000-0000-0000-0000-00000000000a', '2024-01-02',"
        " '2024-01-02 03:04:05+00', '10.0.0.1')",
    )
    for column, key, other in (
        ("id", "1", "01"),
        ("u", "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000A"),
        ("d", "2024-01-02", "20240102"),
        ("m", "2024-01-02T03:04:05+00:00", "2024-01-02"),
    ):
        typed = place.open(query=f"SELECT id FROM typed WHERE {column} = :key")
        assert await typed.retrieve_many([key, other, "x"]) == {key: b"1"}
        table = place.open(table="typed", key_column=column, value_column="id")
        assert await table.retrieve_many([key, other, "x"]) == {key: b"1"}
    cast = place.open(query="SELECT id FROM typed WHERE id = :key::int")
    assert await cast.retrieve_many(["1", "01", "x"]) == {"1": b"1"}
    with pytest.raises(InvalidSource, match="inet; write CAST"):
        await place.open(query="SELECT id FROM typed WHERE i = :key").check()
    with pytest.raises(InvalidSource, match="i is of type INET"):
        await place.open(table="typed", key_column="i").check()


@pytest.mark.service
@pytest.mark.parametrize("place", SERVERS[:1], indirect=True)
async def test_a_table_of_another_schema_and_enums_are_found(place: Place) -> None:
    await place.fill(
        "CREATE SCHEMA sales",
        "CREATE TYPE sales.mood AS ENUM ('glad', 'sad')",
        "CREATE TABLE sales.moods (mood sales.mood PRIMARY KEY, code CHAR(4))",
        "INSERT INTO sales.moods VALUES ('glad', 'ab')",
    )
    moods = place.open(table="sales.moods", key_column="mood", value_column="code")
    assert await moods.retrieve_many(["glad", "sad", "none"]) == {"glad": b"ab  "}
    codes = place.open(table="sales.moods", key_column="code", value_column="mood")
    assert await codes.retrieve_many(["ab", "ab  ", "abcd"]) == {"ab": b"glad"}


async def test_a_value_can_not_be_changed_by_reading_it(place: Place) -> None:
    await place.fill("INSERT INTO things VALUES ('Tom', '1')")
    if place.kind == "postgres":
        await place.fill(
            "CREATE FUNCTION robbed(k TEXT) RETURNS INT LANGUAGE sql AS"
            " 'DELETE FROM things WHERE name = k RETURNING 1'"
        )
        with pytest.raises(RetrieverFailed, match="the database refused the query"):
            await place.open(query="SELECT robbed(:key) AS x").retrieve("Tom")
    things = place.open(query="SELECT value FROM things WHERE name = :key FOR UPDATE")
    with contextlib.suppress(RetrieverFailed):
        await things.retrieve("Tom")
    assert await place.execute("SELECT name FROM things")


async def test_a_table_that_is_altered_is_read_on(place: Place) -> None:
    await place.fill("INSERT INTO things VALUES ('Tom', '1')")
    things = place.open(table="things", key_column="name", value_column=["name"])
    assert document(await things.retrieve("Tom")) == {"name": "Tom"}
    await place.fill("ALTER TABLE things ADD COLUMN more INTEGER")
    assert document(await things.retrieve("Tom")) == {"name": "Tom"}


@pytest.mark.parametrize("key_columns", [["id"], ["id", "part"], ["part", "id"]])
async def test_an_index_finds_the_keys(
    tmp_path: Path, key_columns: list[str], sent: list[str]
) -> None:
    async with sqlite_place(tmp_path) as place, contextlib.aclosing(place):
        await place.fill("CREATE TABLE parts (id INTEGER, part TEXT, PRIMARY KEY (id, part))")
        parts = place.open(table="parts", key_column=key_columns)
        await parts.retrieve_many(["1/2", "3/4"] if len(key_columns) > 1 else ["1", "3"])
        query = sent[-1]
        with contextlib.closing(sqlite3.connect(tmp_path / "own.db")) as connection:
            bound = ["1"] * query.count("?")
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", bound).fetchall()
    assert "SEARCH parts USING" in str(plan)
    assert "SCAN" not in str(plan)


async def test_a_table_that_is_gone_is_said(place: Place) -> None:
    things = place.open(table="things", key_column="name")
    await place.fill("DROP TABLE things")
    with pytest.raises(RetrieverFailed, match="table: there is no table things"):
        await things.retrieve("Tom")
