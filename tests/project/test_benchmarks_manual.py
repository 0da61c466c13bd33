"""The page on speed names benchmarks that run; tests/benchmarks runs the long ones."""

import re
import sys

import pytest
from documents import ROOT, blocks, document
from running_up import output

PAGE = document("tests/benchmarks/README.md")
COMMANDS = re.findall(r"^python (tests/benchmarks/(\w+)\.py .+)$", PAGE, re.MULTILINE)


def test_it_names_each_benchmark_that_can_be_run() -> None:
    folder = ROOT / "tests" / "benchmarks"
    programs = {file.stem for file in folder.glob("*.py") if "__main__" in file.read_text()}
    assert {name for _, name in COMMANDS} == programs


@pytest.mark.slow
async def test_the_most_expensive_requests_are_told_by_its_command() -> None:
    (line,) = (line for line, name in COMMANDS if name == "expensive_requests")
    assert "a plain GET" in await output(sys.executable, *line.split(), folder=ROOT)


@pytest.mark.slow
async def test_the_engine_is_measured_by_its_command() -> None:
    (line,) = (line for line, name in COMMANDS if name == "engine")
    assert "get hit" in await output(sys.executable, *line.split(), folder=ROOT)


@pytest.mark.slow
async def test_a_trace_is_replayed_by_its_commands(tmp_path: object) -> None:
    (commands,) = (block for block in blocks(PAGE, "sh") if "hit_ratio" in block)
    make, replay = commands.splitlines()
    replay = replay.replace("tests/benchmarks", str(ROOT / "tests" / "benchmarks"))
    script = f"cd {tmp_path} && {make} && {replay}".replace("python ", f"{sys.executable} ")
    assert "S3-FIFO" in await output("sh", "-c", script)
