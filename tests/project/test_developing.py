"""The pages for developers tell the truth: what they name is there, and is what the gate runs."""

import os
import re

import pytest
from documents import ROOT, blocks, document, rows
from running_up import BIN, output

PAGE = document("tests/README.md")
CONTRIBUTING = document(".github/CONTRIBUTING.md")
GATE = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

CHECK = "ruff format . && ruff check . && mypy && lint-imports && pytest\n"


def test_the_one_line_check_is_the_same_everywhere() -> None:
    assert CHECK in blocks(PAGE, "sh")
    assert any(CHECK in block for block in blocks(CONTRIBUTING, "sh"))


def test_the_packages_are_those_that_the_gate_installs() -> None:
    (line,) = re.findall(r"^apt-get install -y --no-install-recommends (.+)$", PAGE, re.MULTILINE)
    (gates,) = re.findall(r"^for package in (.+); do$", GATE, re.MULTILINE)
    assert line == gates
    explained = " ".join(row[0] for row in rows(PAGE, "| Debian package |"))
    assert [package for package in line.split() if f"`{package}`" not in explained] == []


def test_the_marks_are_those_of_pytest() -> None:
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for row in rows(PAGE, "| mark |"):
        assert f'    "{row[0].strip("`")}: ' in config


def test_the_folders_are_those_of_the_tests() -> None:
    shown = {row[0].strip("`").rstrip("/") for row in rows(PAGE, "| folder |")}
    there = {f"tests/{file.name}" for file in (ROOT / "tests").iterdir() if file.is_dir()}
    assert there - {"tests/__pycache__"} == shown


def test_what_pytest_is_told_to_run_is_there() -> None:
    paths = re.findall(r"^pytest (tests/\S+)", PAGE, re.MULTILINE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_file_that_it_names_is_there() -> None:
    for path in re.findall(r"`(tests/[\w/]+\.py)`", PAGE):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_each_command_of_the_simulation_runs(number: int) -> None:
    commands = re.findall(r"^PYTHONPATH=.+$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    command = commands[number].replace("20100", "20002")
    path = f"PATH={BIN}{os.pathsep}{os.environ['PATH']}"
    printed = await output("env", path, "sh", "-c", command, folder=ROOT)
    assert "digest" in printed or printed == "[]\n"


def test_the_hooks_run_what_the_gate_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    programs = re.findall(r"entry: (ruff format|ruff check|mypy|lint-imports)\b", hooks)
    assert len(programs) == hooks.count("entry:") == 4
    for program in programs:
        assert re.search(rf"^{program}\b", GATE, re.MULTILINE)


def test_the_generated_files_are_made_by_one_command() -> None:
    assert len(re.findall(r"^python -m grpc_tools\.protoc .*$", PAGE, re.MULTILINE)) == 1
    assert "tests/README.md" in GATE
