"""Imports point one way: design's directions, held by import-linter's contracts."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_point_the_way_they_should() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert "0 broken" in ran.stdout


PURE = (
    "errors.py",
    "value.py",
    "address.py",
    "stats.py",
    "cluster/member.py",
    "cluster/ring.py",
    "group/failures.py",
    "group/freshness.py",
    "group/negatives.py",
    "memory/**/*.py",
    "node/hot.py",
    "node/popularity.py",
    "rpc/http2/**/*.py",
    "rpc/grpc/**/*.py",
)
THEIRS = {"hpack"}
"""Libraries that are as pure, and that pure modules may import."""


def imported(file: Path) -> set[str]:
    """Return the full names that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_pure_modules_import_no_event_loop_and_little_besides_the_standard_library() -> None:
    core = ROOT / "cache_core"
    found = {pattern: list(core.glob(pattern)) for pattern in PURE}
    assert all(found.values())
    files = [file for matched in found.values() for file in matched]
    pure = {
        "cache_core." + ".".join(file.relative_to(core).with_suffix("").parts) for file in files
    }
    pure |= {
        "cache_core.memory.eviction",
        "cache_core.rpc.http2.framing",
        "cache_core.settings",
    }
    allowed = THEIRS | sys.stdlib_module_names - {"asyncio", "socket", "threading", "time"}
    for file in files:
        for name in imported(file):
            assert name in pure or name.partition(".")[0] in allowed, f"{file.name}: {name}"
