import re
import traceback
from pathlib import Path

import pytest

from cache_core.config import ConfigError, load
from cache_core.config.groups import open_groups

GOOD = """
[groups.scores]
capacity = "2KiB"
[groups.scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "gaocache.toml"
    file.write_text(text)
    return file


async def test_a_config_gives_groups_whose_relative_paths_start_at_its_folder(
    scores_db: Path,
) -> None:
    file = write(scores_db.parent, GOOD)
    settings = load(file)
    assert settings.groups["scores"].capacity == 2048
    (group,) = await open_groups(settings, file)
    assert (await group.get("Tom")).data == b"630"
    await group.aclose()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[groups.scores]", "[groups.scores", "Expected ']' at the end of a table declaration"),
        ('"2KiB"', '"much"', 'groups.scores.capacity: it should be a size like "64MiB"'),
        ('"2KiB"', "0", "groups.scores.capacity: it should be more than 0 bytes"),
        ('"2KiB"', '"0"', "groups.scores.capacity: input should be greater than 0"),
        ('"2KiB"', "-1", "groups.scores.capacity: it should be more than 0 bytes"),
        ('"2KiB"', "true", 'groups.scores.capacity: it should be a size like "64MiB"'),
        ('"2KiB"', "1.5", 'groups.scores.capacity: it should be a size like "64MiB"'),
        ("capacity", "capasity", "groups.scores.capasity: unknown, did you mean capacity?"),
        ("kind", "sort", "groups.scores.source.kind: it is missing"),
        ('"sql"', '"sqql"', "groups.scores.source.kind: unknown, did you mean sql?"),
        (
            '"sql"',
            '"x"',
            "groups.scores.source.kind: it should be files, http, python, sql or valkey",
        ),
        ("query", "quest", "groups.scores.source.quest: unknown, did you mean query?"),
        ("groups.", "groop.", "groop: unknown, did you mean groups?"),
        ("groups.scores", 'groups.""', "groups.: a group's name should have 1 to 128 bytes"),
        ("scores.db", "none.db", "groups.scores.source.url: there is no SQLite file"),
        ("sqlite:///scores.db", "sqlite://", "groups.scores.source.url: it names no file"),
        ("sqlite:", "oracle:", "groups.scores.source.url: oracle:// is not known, use sqlite://"),
        ("sqlite:///scores.db", "scores.db", "groups.scores.source.url: it should be like"),
        (
            "scores.db",
            "scores.db?timeout=abc",
            "groups.scores.source.url: its parameter timeout is not known, use cache",
        ),
        ("sqlite:///", "sqlite://host/", "groups.scores.source.url: it should be like"),
        ("[groups.scores]", r'[groups."a\nb\u001B"]', r"groups.a\nb\x1b.source: it is missing"),
        ("scores.db", "no\\nne.db", "groups.scores.source.url: there is no SQLite file"),
        ("[groups.scores.source]", "[groups.scores.sauce]", "groups.scores.source: it is missing"),
        ("FROM scores", "FROM tables", "groups.scores.source.query: the database says: no such t"),
        ("SELECT", "SELEC", "groups.scores.source.query: the database says: near"),
        ("SELECT score", "DELETE", "groups.scores.source.query: the database says: near"),
        (
            ":key",
            "'Tom'",
            "groups.scores.source.query: the query's one parameter should be :key, it has none",
        ),
        (
            "= :key",
            "= :key AND :id",
            "groups.scores.source.query: the query's one parameter should be :key, it has :id",
        ),
    ],
)
async def test_what_is_wrong_is_a_line_with_its_place(
    scores_db: Path, old: str, new: str, line: str
) -> None:
    file = write(scores_db.parent, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        await open_groups(load(file), file)
    lines = str(caught.value).splitlines()
    place = re.compile(rf"{re.escape(str(file))}:\d+: {re.escape(line)}")
    assert any(place.match(said) for said in lines), lines


async def test_a_place_in_a_group_of_an_odd_name_is_on_one_line(scores_db: Path) -> None:
    file = write(
        scores_db.parent,
        GOOD.replace("groups.scores", r'groups."a\nb"').replace("SELECT", "SELEC"),
    )
    with pytest.raises(ConfigError) as caught:
        await open_groups(load(file), file)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(rf"{file}:7: groups.a\nb.source.query: the database says: near")


def test_a_missing_file_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h:port/x",
        "postgresql://u@h:hunter2/x",
        "sqlite://u:hunter2@h/scores.db",
    ],
)
async def test_a_password_in_a_url_is_never_repeated(scores_db: Path, url: str) -> None:
    file = write(scores_db.parent, GOOD.replace("sqlite:///scores.db", url))
    with pytest.raises(ConfigError) as caught:
        await open_groups(load(file), file)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_several_mistakes_are_a_line_each(tmp_path: Path) -> None:
    wrong = GOOD.replace('"2KiB"', "true").replace('"sql"', '"sqql"').replace("scores]", '"a\\nb"]')
    file = write(tmp_path, wrong.replace("groups.scores.source", 'groups."a\\nb".source'))
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).splitlines() == [
        f'{file}:3: groups.a\\nb.capacity: it should be a size like "64MiB"',
        f"{file}:5: groups.a\\nb.source.kind: unknown, did you mean sql?",
    ]


def test_a_file_without_a_group_says_so(tmp_path: Path) -> None:
    file = write(tmp_path, "[node]\nweight = 2\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: groups: it is missing"
