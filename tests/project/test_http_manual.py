"""The page on HTTP tells the truth: its sessions are run, its tables compared with the code."""

import json
import re
from pathlib import Path

import pytest
from curl import curl
from documents import ROOT, blocks, document, rows
from running_up import BIN, Up, output

from cache_core.errors import CacheError
from gateway.http.problems import HTTP_OF_STATUS

PAGE = document("openapi/README.md")

with_one_up = pytest.mark.asyncio(loop_scope="module")


def subclasses(kind: type[CacheError]) -> list[type[CacheError]]:
    return [each for direct in kind.__subclasses__() for each in (direct, *subclasses(direct))]


@with_one_up
async def test_every_session_answers_what_it_shows(up: Up) -> None:
    sessions = blocks(PAGE, "console")
    assert len(sessions) == 7
    for session in sessions:
        command, shown = up.at_its_ports(session).removeprefix("$ ").split("\n", 1)
        assert (await curl(command)).strip() == shown.strip()


@with_one_up
async def test_the_curl_that_asks_for_any_key_asks_for_it(up: Up) -> None:
    (line,) = re.findall(r"`(curl -sG [^`]+)`", PAGE)
    problem = json.loads(await curl(up.at_its_ports(line)))
    assert problem["detail"] == ".. not exist"


@with_one_up
async def test_the_curls_with_a_timeout_are_answered_in_time(up: Up) -> None:
    lines = re.findall(r"^curl -s -H .+$", PAGE, flags=re.MULTILINE)
    timed = [line for line in lines if "imeout" in line]
    assert len(timed) == 2
    for line in timed:
        assert json.loads(await curl(up.at_its_ports(line)))["value"] == "630"


async def test_the_command_prints_the_document_that_lies_beside_the_page(tmp_path: Path) -> None:
    (command,) = (block for block in blocks(PAGE, "sh") if block.startswith("gaocache"))
    await output("sh", "-c", f"{BIN}/{command}", folder=tmp_path)
    printed = (tmp_path / "openapi.json").read_text()
    assert printed == (ROOT / "openapi" / "openapi.json").read_text()


def test_the_row_that_it_shows_is_json() -> None:
    (shown,) = blocks(PAGE, "json")
    assert json.loads(shown)["encoding"] == "json"


def test_the_table_of_statuses_is_the_programs() -> None:
    shown = {
        name: int(status.split(",")[0])
        for names, status in rows(PAGE, "| gRPC | HTTP |")
        for name in re.findall(r"`(\w+)`", names)
    }
    assert shown == dict(HTTP_OF_STATUS)


def test_the_reasons_are_those_that_the_program_has() -> None:
    nodes = {row[0].strip("`") for row in rows(PAGE, "| `reason` | status | retryable |")}
    assert nodes == {kind.reason for kind in subclasses(CacheError)}
    own = {row[0].strip("`") for row in rows(PAGE, "| `reason` | status | when |")}
    code = "".join(file.read_text() for file in (ROOT / "gateway").rglob("*.py"))
    unknown = {reason for reason in own if f'"{reason}"' not in code}
    assert unknown <= {"not-found", "method-not-allowed"}  # these are a status's own name
