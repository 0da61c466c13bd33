"""The page on the core tells the truth: its programs are run, its tables and paths compared."""

import re
import sys
from typing import get_args

import grimp
import pytest
from documents import ROOT, blocks, document, rows, section
from running_up import output

from cache_core import Client, Group, Node, errors, events

PAGE = document("cache_core/README.md")

PROGRAMS = re.findall(
    r"^```python\n(.*?)^```\n\nIt prints:\n\n```text\n(.*?)^```$",
    PAGE,
    flags=re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS)
async def test_every_python_example_prints_what_is_shown(program: str, printed: str) -> None:
    assert await output(sys.executable, "-W", "error", "-c", program) == printed


def test_every_python_example_is_run() -> None:
    assert len(PROGRAMS) == len(blocks(PAGE, "python")) == 4


def test_the_table_of_errors_is_the_programs() -> None:
    for name, reason, _, retry in rows(PAGE, "| error | `reason` |"):
        kind = getattr(errors, name.strip("`"))
        assert kind.reason == reason.strip("`")
        assert kind.retryable == retry.startswith("yes")
    named = {row[0].strip("`") for row in rows(PAGE, "| error | `reason` |")}
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CacheError)
    }
    assert named == kinds - {"CacheError"}


def test_the_table_of_events_is_the_programs() -> None:
    named = [row[0].strip("`") for row in rows(PAGE, "| event | it happens when |")]
    assert named == [kind.__name__ for kind in get_args(events.Event)]


@pytest.mark.parametrize("kind", [Group, Node, Client])
def test_the_tables_of_methods_name_methods_that_there_are(kind: type) -> None:
    for methods, _ in rows(PAGE, f"| `{kind.__name__}` | what it does |"):
        for name in re.findall(r"`(?:await )?(\w+)", methods):
            assert hasattr(kind, name) or name in ("address", "grpc_engine"), name


def rooms_of(package: str) -> set[str]:
    """The rooms of a package, by their paths in it."""
    found = (file.parent for file in (ROOT / package).rglob("__init__.py"))
    return {str(folder.relative_to(ROOT / package)) for folder in found} - {".", "pb"}


def test_every_room_is_in_the_tables_of_rooms() -> None:
    text = section(PAGE, "The rooms")
    for package in ("cache_core", "gateway"):
        shown = {row[0].strip("`") for row in rows(text, f"| `{package}/` |")}
        assert rooms_of(package) - shown == set()


def test_what_the_rooms_import_is_what_the_table_says() -> None:
    shown = {
        room.strip("`"): set(re.findall(r"`(\w+)`", imports))
        for room, _, imports in rows(section(PAGE, "The rooms"), "| `cache_core/` |")
    }
    rooms = rooms_of("cache_core")
    graph = grimp.build_graph("cache_core", cache_dir=None)
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        here = room_of(module, rooms)
        there = {
            room_of(one, rooms).partition("/")[0]
            for one in graph.find_modules_directly_imported_by(module)
        }
        if here:
            found[here] |= there - {"", here.partition("/")[0]}
    assert {room: shown[room] for room in rooms} == found


def room_of(module: str, rooms: set[str]) -> str:
    """The room that a module of the core is in; "" for the words."""
    path = "/".join(module.split(".")[1:])
    return max((room for room in rooms if f"{path}/".startswith(f"{room}/")), key=len, default="")


def test_every_file_that_it_names_is_there() -> None:
    for path in re.findall(r"`((?:[\w]+/)*\w+\.(?:py|toml))`", PAGE):
        found = [ROOT / base / path for base in ("", "cache_core", "gateway")]
        assert any(file.is_file() for file in found), path


def test_where_to_look_answers_ten_questions_with_files() -> None:
    answers = rows(section(PAGE, "Where to look"), "| question | file |")
    assert len(answers) >= 10
    for question, files in answers:
        assert question.endswith("?")
        assert re.findall(r"\]\(([\w./]+\.py)\)", files), question
