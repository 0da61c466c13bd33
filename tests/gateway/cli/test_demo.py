import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.cli.demo import ensure_demo


def test_what_a_user_has_changed_in_the_demo_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    config = ensure_demo(folder)
    config.write_text("# mine\n")
    with closing(sqlite3.connect(folder / "scores.db")) as connection, connection:
        connection.execute("UPDATE scores SET score = '631' WHERE name = 'Tom'")
    assert ensure_demo(folder) == config
    assert config.read_text() == "# mine\n"
    with closing(sqlite3.connect(folder / "scores.db")) as connection:
        (score,) = connection.execute("SELECT score FROM scores WHERE name = 'Tom'").fetchone()
    assert score == "631"
    assert sorted(file.name for file in folder.iterdir()) == ["gaocache.toml", "scores.db"]
