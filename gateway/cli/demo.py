"""The demo group `scores`: a real SQLite file and a config, made on first start."""

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from gateway.cli.failure import Failure

SCORES: Final = (("Tom", "630"), ("Jack", "589"), ("Sam", "567"), ("Alice", "788"))
CONFIG: Final = """\
# Groups of keys and where they come from. A relative path starts at this file's folder.
[groups.scores]
capacity = "64MiB"

[groups.scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


def ensure_demo(folder: Path) -> Path:
    """Return the path of the demo's config in `folder`, making the files that are missing there.

    Files that exist are left as they are. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "gaocache.toml"
    _create(folder / "scores.db", _write_scores)
    _create(config, lambda file: file.write_text(CONFIG, encoding="utf-8"))
    return config


def _create(file: Path, write: Callable[[Path], object]) -> None:
    """Make `file` whole or not at all, unless it exists or another process makes it first."""
    if file.exists():
        return
    with tempfile.TemporaryDirectory(dir=file.parent) as draft_folder:
        draft = Path(draft_folder, file.name)
        write(draft)
        try:
            os.link(draft, file)
        except FileExistsError:
            return


def _write_scores(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE scores (name TEXT PRIMARY KEY, score TEXT NOT NULL)")
        connection.executemany("INSERT INTO scores VALUES (?, ?)", SCORES)


def demo_config(data_dir: Path) -> Path:
    """Return the path of the demo's config in `data_dir`. Raises Failure where it can't be made."""
    try:
        return ensure_demo(data_dir)
    except OSError as error:
        raise Failure(
            f"can't make the demo's files in {data_dir}: {error.strerror}; "
            "choose another folder with --data-dir"
        ) from error
