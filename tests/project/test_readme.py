"""The README tells the truth: its examples are run as they stand, but for ports and paths."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from curl import curl
from documents import ROOT, blocks, document, section
from running_up import BIN, Up, output, running_up
from sources.documents import served
from sources.http_origin import HOST, HttpOrigin, by_target, response

README = document("README.md")

with_one_up = pytest.mark.asyncio(loop_scope="module")


def undated(text: str) -> str:
    return re.sub(r"^date: .+$", "date: then", text.strip(), flags=re.MULTILINE)


def test_it_can_be_read_to_the_end() -> None:
    assert len(README.splitlines()) < 250
    assert len(README.encode()) < 14 * 1024


def test_it_opens_with_the_two_commands_and_the_first_curl() -> None:
    assert blocks(README, "sh")[:2] == [
        "pip install . && gaocache up\n",
        "pip install '.[test]' && pytest\n",
    ]
    first = README.index("```")
    assert README.index("Python 3.11") < first == README.index("```sh\npip install . &&")
    assert README.index("pytest") < README.index("$ curl")


def test_its_picture_is_there() -> None:
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert len(pictures) == 2
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
async def test_the_first_success_is_a_miss_then_a_hit_then_a_removal(tmp_path: Path) -> None:
    sessions = blocks(section(README, "The first success"), "console")
    assert len(sessions) == 3
    async with running_up(tmp_path) as up:
        for session in sessions:
            command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
            assert undated(await curl(command)) == undated(shown)


@pytest.mark.slow
async def test_a_database_is_served_by_the_commands_that_it_gives(tmp_path: Path) -> None:
    text = section(README, "Your own database")
    make, serve = blocks(text, "sh")
    (session,) = blocks(text, "console")
    init, up_command = serve.splitlines()
    assert up_command == "gaocache up --config gaocache.toml"
    await output("sh", "-c", make, folder=tmp_path)
    await output("sh", "-c", f"{BIN}/{init}", folder=tmp_path)
    async with running_up(tmp_path, "--config", str(tmp_path / "gaocache.toml")) as up:
        command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
        assert (await curl(command)).strip() == shown.strip()


@pytest.mark.slow
async def test_an_api_is_served_by_the_config_that_it_gives(tmp_path: Path) -> None:
    text = section(README, "Your own API")
    (config,) = blocks(text, "toml")
    assert len(config.splitlines()) == 8
    (command,) = blocks(text, "sh")
    assert command == "gaocache up --config api.toml\n"
    (line,) = re.findall(r"`(curl localhost\S+)`", text)
    file = tmp_path / "api.toml"
    async with HttpOrigin(by_target({"/users/7": response(200, b"Ann")})).up() as origin:
        file.write_text(config.replace("localhost:9000", f"{HOST}:{origin.port}"))
        async with running_up(tmp_path, "--config", str(file)) as up:
            for _ in range(2):
                answer = json.loads(await curl(up.at_its_ports(line)))
                assert answer["value"] == "Ann"
        assert [asked.target for asked in origin.asked].count("/users/7") == 1


async def test_the_apis_settings_hold(tmp_path: Path) -> None:
    (config,) = blocks(section(README, "Your own API"), "toml")
    async with served(config, tmp_path) as group:
        assert (group.settings.ttl, group.settings.stale_if_error) == (60, 600)


@with_one_up
@pytest.mark.parametrize(
    ("number", "printed"), [(0, "b'144' miss\n"), (1, "b'630'\nNotExist not exist\n")]
)
async def test_every_python_example_runs(up: Up, number: int, printed: str) -> None:
    examples = blocks(README, "python")
    assert len(examples) == 2
    assert await output(sys.executable, "-c", up.at_its_ports(examples[number])) == printed


def test_its_figures_are_those_of_the_benchmarks_page() -> None:
    figures = re.findall(r"^\| .+ \| ([\d,]+) \|$", section(README, "How fast"), re.MULTILINE)
    assert len(figures) == 5
    page = document("tests/benchmarks/README.md")
    assert [figure for figure in figures if f"| {figure} |" not in page] == []


def test_its_ten_words_are_among_all_words() -> None:
    words = re.findall(r"^- \*\*([\w ]+)\*\*:", section(README, "Ten words"), re.MULTILINE)
    assert len(words) == 10
    all_words = section(document("cache_core/README.md"), "Words")
    assert [word for word in words if f"| *{word}*" not in all_words] == []


def test_its_commands_are_words_of_the_program() -> None:
    commands = {shlex.split(line)[1] for line in re.findall(r"^gaocache .+$", README, re.MULTILINE)}
    assert commands == {"init", "up"}
