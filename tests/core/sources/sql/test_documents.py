"""The config that the page on sources has for sql is served, but for users and ports."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from sources.documents import blocks
from sources.rigs.mariadb import mariadb
from sources.rigs.postgres import postgres

from cache_core import Node
from cache_core.client.client import Client
from cache_core.config import load
from cache_core.config.groups import open_groups


@pytest.mark.service
async def test_the_config_for_sql_is_served(tmp_path: Path) -> None:
    async with postgres(tmp_path) as one, mariadb(tmp_path) as two:
        await one.execute(
            "CREATE TABLE users (id INT PRIMARY KEY, name TEXT);INSERT INTO users VALUES (1, 'Ann')"
        )
        await two.execute(
            "CREATE TABLE prices (article INT, currency CHAR(3), price DECIMAL(9,2))",
            "INSERT INTO prices VALUES (7, 'EUR', 9.50)",
        )
        file = tmp_path / "shop.db"
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
            connection.execute("INSERT INTO users VALUES (1, 'Bob')")
        (text,) = blocks("sql", "toml")
        for given, real in (
            ("postgresql://user@localhost:5432/shop", one.open_url),
            ("mysql://user@localhost:3306/shop", two.open_url),
        ):
            assert given in text
            text = text.replace(given, real)
        (tmp_path / "gaocache.toml").write_text(text)
        settings = load(tmp_path / "gaocache.toml")
        groups = await open_groups(settings, tmp_path / "gaocache.toml")
        async with Node("127.0.0.1:0", groups) as node, Client(node.address, timeout=10) as client:
            assert (await client.get("users", "1")).data == b'{"id":1,"name":"Ann"}'
            assert (await client.get("prices", "7:EUR")).data == b"9.50"
            assert (await client.get("names", "1")).data == b"Bob"
