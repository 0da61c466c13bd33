"""`gaocache init` on databases that are servers."""

import tomllib
from pathlib import Path

import pytest
from processes import Run, Start
from served_config import asked
from sources.rigs.mariadb import mariadb
from sources.rigs.postgres import SECRET, postgres

pytestmark = pytest.mark.service


async def test_a_table_of_postgresql_that_can_not_be_read_is_left_out(
    run: Run, start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "shop.toml"
    async with postgres(tmp_path) as rig:
        await rig.put("Tom", b"630")
        await rig.execute(
            """CREATE TABLE hidden (id INT PRIMARY KEY);
            CREATE SCHEMA sales; GRANT USAGE ON SCHEMA sales TO gao;
            CREATE TABLE sales.items (id INT PRIMARY KEY); GRANT SELECT ON sales.items TO gao;
            CREATE TABLE "sales.items" (id INT PRIMARY KEY); GRANT SELECT ON "sales.items" TO gao"""
        )
        ended = await run("init", rig.url, "--output", str(config))
        assert (ended.status, ended.stderr) == (0, "")
        said = ended.stdout.decode()
        assert "Left out: hidden, the database says: permission denied for table hidden." in said
        assert "Left out: sales.items, another table has that name." in said
        assert list(tomllib.loads(config.read_text())["groups"]) == ["sales.items", "things"]
        (response,) = await asked(
            start, config, "/groups/things/keys/Tom", DATABASE_PASSWORD=SECRET
        )
    assert response.status_code == 200


async def test_a_table_of_mariadb_with_a_backtick_in_its_key_is_left_out(
    run: Run, tmp_path: Path
) -> None:
    config = tmp_path / "shop.toml"
    async with mariadb(tmp_path) as rig:
        await rig.execute("CREATE TABLE odd (`a``b` INT PRIMARY KEY)")
        ended = await run("init", rig.open_url, "--output", str(config))
        assert (ended.status, ended.stderr) == (0, "")
        assert "Left out: odd, the database says: Unknown column" in ended.stdout.decode()


POSTGRES_TABLES = """
CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT, owed NUMERIC(10,2), seen TIMESTAMPTZ,
    active BOOLEAN, extra JSONB, u UUID);
INSERT INTO users VALUES (1, 'Änn', 12.50, '2024-01-02 03:04:05+00', true, '{"a": [1]}',
    '00000000-0000-0000-0000-00000000000a');
CREATE SCHEMA sales;
CREATE TABLE sales.items (order_id INT, line VARCHAR(9), sku TEXT, PRIMARY KEY (order_id, line));
INSERT INTO sales.items VALUES (7, 'a', 'x');
CREATE TABLE keyless (a INT);
CREATE TABLE hosts (host INET PRIMARY KEY);
CREATE TABLE hidden (id INT PRIMARY KEY);
CREATE TABLE odd (id INT PRIMARY KEY, span INT4RANGE, spans INT4RANGE[], bits BIT(3), place POINT,
    note XML);
INSERT INTO odd VALUES (1, '[1,5)', '{"[1,5)"}', '101', '(1,2)', '<a/>');
CREATE SCHEMA "same";
CREATE TABLE "same.name" (id INT PRIMARY KEY);
CREATE TABLE "same"."name" (id INT PRIMARY KEY);
GRANT USAGE ON SCHEMA sales, "same" TO gao;
GRANT SELECT ON ALL TABLES IN SCHEMA public, sales, "same" TO gao;
REVOKE ALL ON hidden FROM gao;
"""


async def test_every_table_of_postgresql_with_a_key_is_served_at_once(
    run: Run, start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "shop.toml"
    async with postgres(tmp_path) as rig:
        await rig.execute(POSTGRES_TABLES)
        ended = await run("init", rig.url, "--output", str(config))
        assert (ended.status, ended.stderr) == (0, "")
        said = ended.stdout.decode()
        assert "Left out: hidden, the database says: permission denied for table hidden" in said
        assert "Left out: same.name, another table has that name." in said
        assert list(tomllib.loads(config.read_text())["groups"]) == [
            "odd",
            "same.name",
            "things",
            "users",
            "sales.items",
        ]
        responses = await asked(
            start,
            config,
            "/groups/users/keys/1",
            "/groups/sales.items/keys/7/a",
            "/groups/odd/keys/1",
            DATABASE_PASSWORD=SECRET,
        )
    assert responses[0].json()["value"] == {
        "id": 1,
        "name": "Änn",
        "owed": "12.50",
        "seen": "2024-01-02T03:04:05+00:00",
        "active": True,
        "extra": {"a": [1]},
        "u": "00000000-0000-0000-0000-00000000000a",
    }
    assert responses[1].json()["value"] == {"order_id": 7, "line": "a", "sku": "x"}
    assert responses[2].json()["value"] == {
        "id": 1,
        "span": "[1,5)",
        "spans": '{"[1,5)"}',
        "bits": "101",
        "place": "(1,2)",
        "note": "<a/>",
    }


async def test_every_table_of_mariadb_with_a_key_is_served_at_once(
    run: Run, start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "shop.toml"
    async with mariadb(tmp_path) as rig:
        await rig.execute("CREATE TABLE users (id INT UNSIGNED PRIMARY KEY, name TEXT)")
        await rig.execute("INSERT INTO users VALUES (4294967295, 'Änn')")
        assert (await run("init", rig.open_url, "--output", str(config))).status == 0
        (response,) = await asked(start, config, "/groups/users/keys/4294967295")
    assert response.json()["value"] == {"id": 4294967295, "name": "Änn"}


async def test_a_password_is_written_as_a_variable_and_taken_from_it(
    run: Run, start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "shop.toml"
    async with postgres(tmp_path) as rig:
        await rig.put("Tom", b"630")
        ended = await run("init", rig.url, "--output", str(config))
        assert ended.status == 0, ended.stderr
        assert b"export DATABASE_PASSWORD=" in ended.stdout
        for text in (config.read_text(), ended.stdout.decode(), ended.stderr):
            assert SECRET not in text
        (response,) = await asked(
            start, config, "/groups/things/keys/Tom", DATABASE_PASSWORD=SECRET
        )
    assert response.json()["value"] == {"name": "Tom", "value": "NjMw"}
