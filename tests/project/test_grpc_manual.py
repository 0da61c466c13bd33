"""The page on gRPC tells the truth: its sessions and programs are run."""

import shlex
import sys

import pytest
from documents import blocks, document
from running_up import BIN, Up, output

from cache_core.rpc.wire.metadata import read_answer

PAGE = document("protos/README.md")

with_one_up = pytest.mark.asyncio(loop_scope="module")


@with_one_up
async def test_every_session_answers_what_it_shows(up: Up) -> None:
    sessions = blocks(PAGE, "console")
    assert len(sessions) == 3
    for session in sessions:
        command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
        program, *arguments = shlex.split(command)
        assert (await output(str(BIN / program), *arguments)).strip() == shown.strip()


@with_one_up
@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (0, "b'630'\nNotExist not exist\n"),
        (1, "Tom b'630'\nNotExist NotExist not exist\n()\nTom is not cached\n"),
        (2, "630\n"),
    ],
)
async def test_every_python_example_runs(up: Up, number: int, printed: str) -> None:
    examples = blocks(PAGE, "python")
    assert len(examples) == 3
    assert await output(sys.executable, "-c", up.at_its_ports(examples[number])) == printed


def test_the_answer_that_it_shows_is_one() -> None:
    (shown,) = blocks(PAGE, "text")
    told = read_answer(shown.strip(), b"", node="another:1")
    assert (told.answer, told.node, told.ttl, told.age) == ("miss", "127.0.0.1:8080", 36.5, 3.5)
    assert (told.stored, told.terms.content_type) == (True, "image/png")
