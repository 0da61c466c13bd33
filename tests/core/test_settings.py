"""Each setting of a group: what it takes, and one clear error with its name for what it doesn't."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cache_core.config import ConfigError, load
from cache_core.settings import MIB, GroupSettings

SOURCE = """
[groups.g.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""

DURATIONS = (
    "ttl",
    "stale_while_revalidate",
    "stale_if_error",
    "negative_ttl",
    "refresh_ahead",
    "hot_ttl",
    "load_timeout",
)
SHARES = ("jitter", "hot_share")
SIZES = ("capacity", "max_value")

DURATION = 'it should be seconds or like "90s", "10m", "1h", "500ms"'
SIZE = 'it should be a size like "64MiB"'
WRONG: list[tuple[str, object, str]] = [
    *((name, wrong, DURATION) for name in DURATIONS for wrong in ("soon", "5 x", "-1s", "", True)),
    *((name, list[str](), DURATION) for name in DURATIONS),
    *((name, 10**400, "input should be a") for name in DURATIONS),
    *((name, -1, "input should be greater than") for name in DURATIONS),
    *((name, math.inf, "input should be a finite number") for name in DURATIONS),
    *((name, "9" * 400 + "d", "input should be a finite number") for name in DURATIONS),
    *((name, 0, "input should be greater than 0") for name in ("ttl", "load_timeout")),
    *((name, "0s", "input should be greater than 0") for name in ("ttl", "load_timeout")),
    *(
        (name, wrong, SIZE)
        for name in SIZES
        for wrong in ("much", "64 megs", "1e3", "-1MiB", "", True, False, 1.5, math.inf)
    ),
    *((name, wrong, "it should be more than 0 bytes") for name in SIZES for wrong in (0, -1)),
    *((name, "0", "input should be greater than 0") for name in SIZES),
    ("policy", "fifo", "input should be 's3fifo', 'lru' or 'lfu'"),
    ("policy", "LRU", "input should be 's3fifo', 'lru' or 'lfu'"),
    ("policy", 1, "input should be 's3fifo', 'lru' or 'lfu'"),
    *((name, wrong, "input should be less than 1") for name in SHARES for wrong in (1, 1.5)),
    *((name, -0.1, "input should be greater than or equal to 0") for name in SHARES),
    *(
        (name, wrong, "input should be a valid number")
        for name in SHARES
        for wrong in ("much", "10s")
    ),
    *((name, wrong, "it should be a number") for name in SHARES for wrong in (False, True)),
    ("load_concurrency", 0, "input should be greater than 0"),
    ("load_concurrency", -1, "input should be greater than 0"),
    ("load_concurrency", 1.5, "input should be a valid integer"),
    ("load_concurrency", "many", "input should be a valid integer"),
    ("load_concurrency", True, "it should be a number"),
    ("load_queue", -1, "input should be greater than or equal to 0"),
    ("load_queue", "long", "input should be a valid integer"),
    ("load_queue", False, "it should be a number"),
    *(
        ("content_type", wrong, 'it should be a media type like "image/png"')
        for wrong in (
            "",
            "png",
            "image/",
            "/png",
            "image/*",
            "image/png;",
            "image/png; q",
            'a/b; c="d',
            "a/b\n",
            "a/b; c=\x7f",
            "a/ä",
            "a/" + "b" * 254,
            5,
        )
    ),
    *(("client_reload", wrong, "it should be true or false") for wrong in (0, 1, "yes")),
]


def write(folder: Path, **given: object) -> Path:
    """A config file with one group `g` of these settings."""
    file = folder / "gaocache.toml"
    lines = (f"{name} = {_toml(value)}" for name, value in given.items())
    file.write_text("\n".join(("[groups.g]", *lines, SOURCE)))
    return file


def _toml(value: object) -> str:
    return "inf" if value == math.inf else json.dumps(value)


def refused(folder: Path, **given: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, **given))
    file, line, words = str(caught.value).split(":", 2)
    assert file == str(folder / "gaocache.toml")
    assert line.isdecimal()
    return words.removeprefix(" ")


def made(given: dict[str, Any]) -> GroupSettings:
    return GroupSettings(**given)


def both_ways(folder: Path, **given: object) -> list[GroupSettings]:
    return [made(given), load(write(folder, **given)).groups["g"]]


def test_the_defaults_hold_for_what_is_not_given(tmp_path: Path) -> None:
    for settings in both_ways(tmp_path):
        assert settings.model_dump(exclude={"source", "tier"}) == {
            "capacity": 64 * MIB,
            "policy": "s3fifo",
            "max_value": None,
            "ttl": None,
            "jitter": 0.1,
            "stale_while_revalidate": 0.0,
            "stale_if_error": 0.0,
            "negative_ttl": 0.0,
            "refresh_ahead": 0.0,
            "hot_share": 0.125,
            "hot_ttl": 10.0,
            "load_timeout": 10.0,
            "load_concurrency": 64,
            "load_queue": 1024,
            "content_type": None,
            "client_reload": False,
        }


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (5, 5.0),
        ("5", 5.0),
        (0.25, 0.25),
        ("500ms", 0.5),
        ("90s", 90.0),
        ("1.5m", 90.0),
        (" 10 m ", 600.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
    ],
)
def test_a_duration_is_seconds_or_a_number_with_its_unit(
    tmp_path: Path, name: str, given: object, seconds: float
) -> None:
    for settings in both_ways(tmp_path, **{name: given}):
        assert getattr(settings, name) == seconds


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    ("given", "size"),
    [
        (100, 100),
        ("100", 100),
        ("2KiB", 2048),
        ("2kb", 2000),
        ("64MiB", 64 * MIB),
        ("64 mib", 64 * MIB),
        ("1.5GiB", 1536 * MIB),
    ],
)
def test_a_size_is_bytes_or_a_number_with_its_unit(
    tmp_path: Path, name: str, given: object, size: int
) -> None:
    for settings in both_ways(tmp_path, **{name: given}):
        assert getattr(settings, name) == size


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("policy", "s3fifo"),
        ("policy", "lru"),
        ("policy", "lfu"),
        *((name, border) for name in SHARES for border in (0, 0.999)),
        ("stale_while_revalidate", 0),
        ("stale_if_error", 0),
        ("negative_ttl", 0),
        ("refresh_ahead", 0),
        ("hot_ttl", 0),
        ("load_concurrency", 1),
        ("load_queue", 0),
        ("content_type", "image/png"),
        ("content_type", "application/vnd.api+json"),
        ("content_type", "text/plain; charset=utf-8;format=flowed"),
        ("content_type", r'a/b; c="d; \" e"'),
        ("content_type", "a/" + "b" * 253),
        ("client_reload", True),
    ],
)
def test_the_borders_of_what_is_allowed_are_allowed(
    tmp_path: Path, name: str, given: object
) -> None:
    for settings in both_ways(tmp_path, **{name: given}):
        assert getattr(settings, name) == given


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *((name, "0.25", 0.25) for name in SHARES),
        ("load_concurrency", "8", 8),
        ("client_reload", "true", True),
        ("client_reload", "false", False),
    ],
)
def test_numbers_and_switches_may_be_text(
    tmp_path: Path, name: str, text: str, value: object
) -> None:
    for settings in both_ways(tmp_path, **{name: text}):
        assert getattr(settings, name) == value


@pytest.mark.parametrize(("name", "wrong", "words"), WRONG)
def test_a_wrong_value_in_the_file_is_one_line_with_its_name_and_what_is_allowed(
    tmp_path: Path, name: str, wrong: object, words: str
) -> None:
    line = refused(tmp_path, **{name: wrong})
    assert line.startswith(f"groups.g.{name}: {words}")
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(("name", "wrong", "words"), WRONG)
def test_a_wrong_value_in_python_is_an_error_with_its_name_and_what_is_allowed(
    name: str, wrong: object, words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        made({name: wrong})
    (problem,) = caught.value.errors()
    assert problem["loc"] == (name,)
    assert words.lower() in problem["msg"].lower()


@pytest.mark.parametrize("ahead", [5, 6, "5s", "1h"])
def test_a_refresh_ahead_as_long_as_the_ttl_or_longer_is_refused(
    tmp_path: Path, ahead: object
) -> None:
    words = "refresh_ahead should be shorter than ttl"
    assert refused(tmp_path, ttl="5s", refresh_ahead=ahead) == f"groups.g: {words}"
    with pytest.raises(ValidationError, match=words):
        made({"ttl": 5, "refresh_ahead": ahead})


def test_a_refresh_ahead_shorter_than_the_ttl_or_without_one_is_taken(tmp_path: Path) -> None:
    for given in ({"ttl": 5, "refresh_ahead": 4.9}, {"refresh_ahead": 60}):
        for settings in both_ways(tmp_path, **given):
            assert settings.refresh_ahead == given["refresh_ahead"]


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("polcy", "policy"),
        ("max_values", "max_value"),
        ("tll", "ttl"),
        ("stale_while_revalidating", "stale_while_revalidate"),
        ("load_concurency", "load_concurrency"),
    ],
)
def test_an_unknown_name_in_the_file_is_told_the_nearest_known(
    tmp_path: Path, wrong: str, near: str
) -> None:
    assert refused(tmp_path, **{wrong: 1}) == f"groups.g.{wrong}: unknown, did you mean {near}?"


def test_an_unknown_name_like_no_other_is_told_all_that_are_known(tmp_path: Path) -> None:
    line = refused(tmp_path, zzz=1)
    assert line.startswith("groups.g.zzz: unknown, use ")
    assert all(name in line for name in GroupSettings.model_fields)


def test_an_unknown_name_in_python_is_an_error_that_names_it() -> None:
    with pytest.raises(ValidationError, match="polcy"):
        made({"polcy": "lru"})
