"""`${NAME}` in a file's strings."""

import traceback
from pathlib import Path

import pytest

from cache_core.config import ConfigError, load
from cache_core.config.fields import ADDRESS
from cache_core.config.substitution import MALFORMED, Substitution

FILE = """\
[node]
listen = '{}'
[groups.g]
ttl = "${{TTL:-60s}}"
[groups.g.source]
kind = "sql"
url = "sqlite:///${{FOLDER}}/${{NAME}}.db"
query = "SELECT '$${{key}} $1 $$' WHERE :key"
"""

UNSET = "the environment has no X; set it, or write ${X:-default}"
DURATION = 'it should be seconds or like "90s", "10m", "1h", "500ms"'


def write(folder: Path, listen: str = "${HOST}:${PORT}") -> Path:
    file = folder / "gaocache.toml"
    file.write_text(FILE.format(listen))
    return file


SECRET = "hunter2"
ENVIRON = {"HOST": "10.0.0.1", "PORT": "8080", "FOLDER": "data", "NAME": "scores"}


def test_a_variable_stands_in_any_string_and_a_default_where_it_is_unset_or_empty(
    tmp_path: Path,
) -> None:
    settings = load(write(tmp_path), environ=ENVIRON)
    group = settings.groups["g"]
    assert str(settings.node.listen) == "10.0.0.1:8080"
    assert group.ttl == 60
    assert load(write(tmp_path), environ={**ENVIRON, "TTL": ""}).groups["g"].ttl == 60
    assert load(write(tmp_path), environ={**ENVIRON, "TTL": "5"}).groups["g"].ttl == 5
    source = str(group.source.model_dump())
    assert "${key} $1 $$" in source


def test_what_is_in_a_variable_is_not_replaced_again(tmp_path: Path) -> None:
    settings = load(write(tmp_path), environ={**ENVIRON, "NAME": "${HOST}"})
    assert "data/${HOST}.db" in str(settings.groups["g"].source.model_dump())


def test_every_unset_variable_is_a_line_with_its_place(tmp_path: Path) -> None:
    file = write(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={"PORT": "8080", "NAME": "a"})
    assert str(caught.value).splitlines() == [
        f"{file}:2: node.listen: {UNSET.replace('X', 'HOST')}",
        f"{file}:7: groups.g.source.url: {UNSET.replace('X', 'FOLDER')}",
    ]


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${a b}", "${A-b}", "${HOST", "a${"])
def test_what_is_neither_is_a_line(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file, environ=ENVIRON)
    assert str(caught.value) == f"{file}:2: node.listen: {MALFORMED}"


def test_a_wrong_value_is_named_by_its_variable_and_not_shown(tmp_path: Path) -> None:
    file = write(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={**ENVIRON, "HOST": f"{SECRET}/", "TTL": SECRET})
    said = "".join(traceback.format_exception(caught.value))
    assert SECRET not in said
    assert str(caught.value).splitlines() == [
        f"{file}:2: node.listen: {ADDRESS} (it is from ${{HOST}}, ${{PORT}})",
        f"{file}:4: groups.g.ttl: {DURATION} (it is from ${{TTL}})",
    ]


def test_later_words_of_a_value_say_its_variable(tmp_path: Path) -> None:
    file = write(tmp_path)
    settings = load(file, environ=ENVIRON)
    keys = ("groups", "g", "source", "url")
    assert str(settings.problem(keys, "there is no file data/scores.db")) == (
        f"{file}:7: groups.g.source.url: there is no file ${{FOLDER}}/${{NAME}}.db "
        "(it is from ${FOLDER}, ${NAME})"
    )


def test_of_a_value_that_has_another_in_it_nothing_is_shown() -> None:
    substitution = Substitution({"A": "r00t", "B": "r00t-hunter2"})
    substitution.replace({"a": "${A}", "b": "${B}"})
    assert substitution.hide("not r00t-hunter2, r00t") == "not ${B}, ${A}"
