"""Which tables of a database could be groups, and which row is an example."""

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from cache_core import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.settings import MAX_GROUP_BYTES
from cache_core.sources.sql.inspection import Found, LeftOut, look_over

LONG = "é" * (MAX_GROUP_BYTES // 2)


async def looked(folder: Path, script: str) -> Found:
    with contextlib.closing(sqlite3.connect(folder / "own.db")) as connection:
        connection.create_function("of_its_application", 1, int, deterministic=True)
        connection.executescript(script)
    return await look_over("sqlite:///own.db", folder=folder)


async def test_a_table_with_a_key_is_a_group_with_a_row_as_its_example(tmp_path: Path) -> None:
    found = await looked(
        tmp_path,
        """
        CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO users VALUES (7, 'Tom');
        CREATE TABLE items (line TEXT, orders INTEGER, PRIMARY KEY (orders, line));
        INSERT INTO items VALUES ('a b', 8);
        CREATE TABLE bare (id INTEGER PRIMARY KEY);
        """,
    )
    assert [group.name for group in found.groups] == ["bare", "items", "users"]
    bare, items, users = found.groups
    assert (bare.source.key_column, bare.example) == (("id",), None)
    assert (items.source.key_column, items.example) == (("orders", "line"), ("8", "a b"))
    assert (users.source.table, users.example) == (("users",), ("7",))
    assert users.source.url == "sqlite:///own.db"
    assert found.left_out == []


async def test_a_row_without_a_part_of_its_key_is_no_example(tmp_path: Path) -> None:
    found = await looked(
        tmp_path,
        "CREATE TABLE odd (a TEXT, b TEXT, PRIMARY KEY (a, b)); INSERT INTO odd VALUES ('1', NULL)",
    )
    (odd,) = found.groups
    assert odd.example is None


async def test_what_can_be_no_group_is_left_out_with_its_reason(tmp_path: Path) -> None:
    found = await looked(
        tmp_path,
        f"""
        CREATE TABLE keyless (a TEXT);
        CREATE TABLE hashes (hash BLOB PRIMARY KEY);
        CREATE TABLE untyped (a PRIMARY KEY);
        CREATE TABLE nameless ("" TEXT PRIMARY KEY);
        CREATE TABLE "{LONG}" (id INTEGER PRIMARY KEY);
        CREATE TABLE "{LONG}!" (id INTEGER PRIMARY KEY);
        CREATE VIEW seen AS SELECT 1 AS one;
        """,
    )
    assert [group.name for group in found.groups] == [LONG]
    assert found.left_out == [
        LeftOut("hashes", "its key hash is of type BLOB, which can't be a key"),
        LeftOut("keyless", "it has no primary key"),
        LeftOut("nameless", "a column of its key has no name"),
        LeftOut("untyped", "its key a is of a type that can't be a key"),
        LeftOut(f"{LONG}!", f"its name has more than {MAX_GROUP_BYTES} bytes"),
        LeftOut("seen", "it is a view, which has no primary key"),
    ]


async def test_a_table_that_the_database_can_not_read_is_left_out_alone(tmp_path: Path) -> None:
    found = await looked(
        tmp_path,
        """
        CREATE TABLE broken (id INTEGER PRIMARY KEY, twice AS (of_its_application(id)));
        CREATE TABLE users (id INTEGER PRIMARY KEY);
        """,
    )
    assert [group.name for group in found.groups] == ["users"]
    (broken,) = found.left_out
    assert broken.table == "broken"
    assert broken.why == "the database says: unknown function: of_its_application()"


async def test_a_database_that_can_not_be_looked_at_is_said(tmp_path: Path) -> None:
    (tmp_path / "own.db").write_bytes(b"no database at all, but long enough to look like one" * 99)
    with pytest.raises(InvalidSource, match="file is not a database") as refused:
        await look_over("sqlite:///own.db", folder=tmp_path)
    assert refused.value.setting == "url"
    with pytest.raises(SourceUnavailable, match="the database can't answer now"):
        await look_over("postgresql://tom@127.0.0.1:1/d", folder=tmp_path)


async def test_no_connection_is_left(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    await looked(tmp_path, "CREATE TABLE users (id INTEGER PRIMARY KEY)")
    left = set(threading.enumerate()) - before  # SQLite's connections have a thread each
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)
