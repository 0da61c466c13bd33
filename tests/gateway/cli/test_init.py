"""`gaocache init` writes a config that is served as it stands."""

import shlex
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from processes import Run, Start
from served_config import asked

from cache_core.sources.sql.connection.url import parse_url
from gateway.cli.draft import config_url

TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, balance REAL, active BOOLEAN, photo BLOB,
    born DATE, extra JSON);
INSERT INTO users VALUES (1, 'Änn', 12.5, 1, x'00ff', '2020-01-02', '{"a": [1, 2.50]}');
INSERT INTO users VALUES (2, 'Bob', NULL, 0, NULL, NULL, NULL);
CREATE TABLE items (order_id INTEGER, line TEXT, sku TEXT, PRIMARY KEY (order_id, line));
INSERT INTO items VALUES (7, 'a b', 'x');
CREATE TABLE "odd ""name""/x.y ${HOME}" ("the key" TEXT PRIMARY KEY, "a b" INT);
INSERT INTO "odd ""name""/x.y ${HOME}" VALUES ('k', 5);
CREATE VIEW seen AS SELECT 1 AS one;
CREATE TABLE keyless (a TEXT);
CREATE TABLE hashes (hash BLOB PRIMARY KEY);
"""
ODD = 'odd "name"/x.y ${HOME}'
ANN = (
    '{"group":"users","key":"1","value":{"id":1,"name":"Änn","balance":12.5,"active":true,'
    '"photo":"AP8=","born":"2020-01-02","extra":{"a": [1, 2.50]}},"encoding":"json"}'
)


def make_database(file: Path) -> Path:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TABLES)
    return file


async def test_every_table_of_a_file_with_a_key_is_served_at_once(
    run: Run, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    make_database(tmp_path / "data" / "my %41 shop.db")
    monkeypatch.chdir(tmp_path)
    config = Path("configs", "shop.toml")
    ended = await run("init", "sqlite:///data/my %2541 shop.db", "--output", str(config))
    assert (ended.status, ended.stderr) == (0, "")
    said = ended.stdout.decode()
    assert "with 3 groups" in said
    assert "Left out: keyless, it has no primary key." in said
    assert "Left out: hashes, its key hash is of type BLOB, which can't be a key." in said
    assert "Left out: seen, it is a view, which has no primary key." in said
    assert f"gaocache up --config {config}" in said
    responses = await asked(
        start,
        config,
        "/groups/users/keys/1",
        "/groups/items/keys/7/a%20b",
        f"/groups/{quote(ODD, safe='')}/keys/k",
        "/groups/users/keys/01",
    )
    assert [response.status_code for response in responses] == [200, 200, 200, 404]
    assert responses[0].text == ANN
    assert responses[1].json()["value"] == {"order_id": 7, "line": "a b", "sku": "x"}
    assert responses[2].json()["value"] == {"the key": "k", "a b": 5}


@pytest.mark.slow
async def test_the_curl_that_it_says_gives_a_row(run: Run, start: Start, tmp_path: Path) -> None:
    file = make_database(tmp_path / "shop.db")
    config = tmp_path / "shop.toml"
    ended = await run("init", f"sqlite:///{file}", "-o", str(config))
    curl, silent, url = shlex.split(ended.stdout.decode().splitlines()[-1])
    assert (curl, silent) == ("curl", "-s")
    path = url.removeprefix("http://127.0.0.1:8000")
    (response,) = await asked(start, config, path)
    assert response.json()["value"] == {"order_id": 7, "line": "a b", "sku": "x"}


async def test_the_curl_names_the_keys_columns_where_the_table_is_empty(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    ended = await run("init", f"sqlite:///{file}", "-o", str(tmp_path / "shop.toml"))
    assert ended.stdout.decode().splitlines()[-1].endswith("/groups/users/keys/ID")


async def test_a_key_column_that_looks_like_a_variable_is_taken_as_it_is(
    run: Run, tmp_path: Path
) -> None:
    file, config = tmp_path / "shop.db", tmp_path / "shop.toml"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute('CREATE TABLE users ("${NO_SUCH_ID}" INTEGER PRIMARY KEY)')
    await run("init", f"sqlite:///{file}", "-o", str(config))
    ended = await run("check", str(config))
    assert (ended.status, ended.stderr) == (0, "")


async def test_a_config_is_overwritten_only_by_force(run: Run, tmp_path: Path) -> None:
    file = make_database(tmp_path / "shop.db")
    config = tmp_path / "gaocache.toml"
    config.write_text("mine")
    refused = await run("init", f"sqlite:///{file}", "--output", str(config))
    assert refused.status == 1
    assert refused.stderr == (
        f"gaocache: {config} exists; overwrite it with --force, or name another by --output\n"
    )
    assert config.read_text() == "mine"
    assert (await run("init", f"sqlite:///{file}", "--output", str(config), "--force")).status == 0
    assert list(tomllib.loads(config.read_text())["groups"]) == ["items", ODD, "users"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///none.db", "DATABASE_URL: there is no SQLite file"),
        ("oracle://u:s3cret@h/d", "DATABASE_URL: oracle:// is not known, use sqlite://"),
        ("postgresql://u:s3cret@127.0.0.1:1/d", "the database can't answer now; is it running"),
    ],
)
async def test_what_can_not_be_looked_at_is_one_line(
    run: Run, tmp_path: Path, url: str, words: str
) -> None:
    config = tmp_path / "gaocache.toml"
    ended = await run("init", url, "--output", str(config))
    assert ended.status == 1
    assert ended.stderr.startswith(f"gaocache: {words}")
    assert ended.stderr.count("\n") == 1
    assert "s3cret" not in ended.stderr
    assert not config.exists()


async def test_a_database_without_a_fitting_table_gives_no_config(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bare.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE keyless (a)")
    ended = await run("init", f"sqlite:///{file}", "--output", str(tmp_path / "gaocache.toml"))
    assert ended.stderr == (
        "gaocache: the database has no table that could be a group; "
        "keyless: it has no primary key\n"
    )


@pytest.mark.slow
async def test_a_table_that_can_not_be_served_is_left_out_alone(
    run: Run, start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "odd.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript("""
            CREATE TABLE "" (a INTEGER PRIMARY KEY);
            CREATE TABLE nameless ("" TEXT PRIMARY KEY);
            CREATE VIRTUAL TABLE strange USING fts5(x);
            CREATE TABLE users (id INTEGER PRIMARY KEY);
            INSERT INTO users VALUES (1);
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE strange USING unknown(x)'
            WHERE name = 'strange';
        """)
    config = tmp_path / "odd.toml"
    ended = await run("init", f"sqlite:///{file}", "--output", str(config))
    assert (ended.status, ended.stderr) == (0, "")
    said = ended.stdout.decode()
    assert "Left out: , it has no name." in said
    assert "Left out: nameless, a column of its key has no name." in said
    assert "Left out: strange, the database says: no such module: unknown." in said
    (response,) = await asked(start, config, "/groups/users/keys/1")
    assert response.json()["value"] == {"id": 1}


@pytest.mark.parametrize(
    ("given", "folder", "written"),
    [
        ("sqlite:///a.db", "/here", "sqlite:///a.db"),
        ("sqlite:///a.db", "/here/below", "sqlite:///../a.db"),
        ("sqlite:///../a.db", "/", "sqlite:///a.db"),
        ("sqlite:////there/a.db", "/here/below", "sqlite:////there/a.db"),
        ("mysql://u:p%2Fq@h:3306/d", "/", "mysql://u:${DATABASE_PASSWORD}@h:3306/d"),
        ("postgres://u@h/d?sslmode=require", "/", "postgres://u@h/d?sslmode=require"),
    ],
)
def test_the_url_in_the_config_leads_to_the_same_database(
    given: str, folder: str, written: str
) -> None:
    assert config_url(parse_url(given), Path("/here"), Path(folder)) == written
