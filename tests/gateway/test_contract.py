"""The table of the contract's promises names tests that there are."""

import ast
import re
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
TABLE = (HERE / "contract.md").read_text(encoding="utf-8")


@lru_cache
def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


def test_every_promise_has_tests_that_there_are() -> None:
    rows = [row.split(" | ") for row in TABLE.splitlines() if row.startswith("| ")][2:]
    promises = [(promise, tests) for promise, tests in rows if tests.strip("| ")]
    assert promises
    for promise, tests in promises:
        named = re.findall(r"`([a-z0-9_/]+)::(test_[a-z0-9_]+)`", tests)
        assert named, promise
        for file, name in named:
            assert name in names_in(TESTS / f"{file}.py"), f"{file}::{name}"
