"""The config file: what it may say, and one clear line with its place for what it may not."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from cache_core.settings import GroupSettings, Table

MAX_GROUP_BYTES = 128


class ConfigError(Exception):
    """What is wrong in a config file, each line with its place."""

    @classmethod
    def at(cls, file: Path, *problems: tuple[Iterable[str], str]) -> "ConfigError":
        """Return the error with a line for each of `problems`: the keys to its place, words."""
        lines = (
            ": ".join(filter(None, (str(file), ".".join(keys), words))) for keys, words in problems
        )
        return cls("\n".join(map(_printable, lines)))


def _printable(text: str) -> str:
    """Return `text` as one line, its unprintable characters as escapes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _group_name(name: str) -> str:
    if not 0 < len(name.encode()) <= MAX_GROUP_BYTES:
        raise ValueError(f"a group's name should have 1 to {MAX_GROUP_BYTES} bytes")
    return name


class SqlSource(Table):
    """`[groups.NAME.source]` with `kind = "sql"`: a query with the one parameter `:key`."""

    kind: Literal["sql"]
    url: str
    query: str


class GroupTable(GroupSettings):
    """`[groups.NAME]`: the group's settings, and its source."""

    source: SqlSource


class Settings(Table):
    """The whole file."""

    groups: Annotated[
        dict[Annotated[str, AfterValidator(_group_name)], GroupTable], Field(min_length=1)
    ]


def load(path: Path) -> Settings:
    """Return the settings in the TOML file at `path`. Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError.at(path, ((), error.strerror or "can't be read")) from error
    except ValueError as error:  # of the encoding or of the TOML
        raise ConfigError.at(path, ((), str(error))) from error
    except RecursionError as error:
        raise ConfigError.at(path, ((), "it is nested too deeply")) from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        raise ConfigError.at(path, *map(_problem, error.errors(include_url=False))) from error


def _problem(found: Mapping[str, Any]) -> tuple[list[str], str]:
    keys = [str(step) for step in found["loc"] if step != "[key]"]
    match found["type"]:
        case "missing":
            words = "it is missing"
        case "extra_forbidden":
            words = _unknown(found["loc"])
        case "dict_type" | "model_type":
            words = "it should be a table"
        case "value_error":
            words = str(found["ctx"]["error"])
        case _:
            words = _lower_first(found["msg"])
    return keys, words


def _unknown(loc: tuple[int | str, ...]) -> str:
    known = list(_table_at(loc[:-1]).model_fields)
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f"unknown, did you mean {near[0]}?" if near else f"unknown, use {', '.join(known)}"


def _table_at(loc: tuple[int | str, ...]) -> type[Table]:
    match loc:
        case ():
            return Settings
        case ("groups", _):
            return GroupTable
        case _:
            return SqlSource


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]
