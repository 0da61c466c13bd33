"""The benchmarks run, in their quick forms. What they measure is not judged here."""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from interrupting import SIGNALS
from process_figures import tree

MISSING = [name for name in ("wrk", "h2load", "redis-server") if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(MISSING), reason=f"missing: {', '.join(MISSING)}"),
]

HERE = Path(__file__).parent
PIPE = asyncio.subprocess.PIPE


async def start(benchmark: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, HERE / f"{benchmark}.py", *arguments, stdout=PIPE, stderr=PIPE
    )


async def run(benchmark: str, folder: Path, *arguments: str) -> dict[str, Any]:
    file = folder / "found.json"
    process = await start(benchmark, "--quick", "--json", str(file), *arguments)
    said, complaint = await process.communicate()
    assert process.returncode == 0, f"{said.decode()}\n{complaint.decode()}"
    found: dict[str, Any] = json.loads(file.read_text())
    assert found["benchmark"] == benchmark
    assert found["quick"]
    return found


async def test_serving_is_measured_at_every_contender_without_an_error(tmp_path: Path) -> None:
    found = await run("serve", tmp_path, "--plot", str(tmp_path / "found.svg"))
    rows = found["rows"]
    assert len(rows) == 21  # seven contenders at three loads
    for row in rows:
        assert row["rate"] > 0
        assert not row["errors"]
        assert sum(row["cpu"].values()) > 0
        assert 0 < row["p50"] <= row["p99"] <= row["p999"]
    assert {name for row in rows for name in row["cpu"]} == {
        "gateway", "node", "app", "redis", "envoy"
    }  # fmt: skip
    assert len(found["ratios"]) == 9
    assert all(ratio["target"] for ratio in found["ratios"])
    assert (tmp_path / "found.svg").read_text().startswith("<?xml")


async def test_gets_over_grpc_are_measured_at_both_engines(tmp_path: Path) -> None:
    found = await run("grpc_get", tmp_path)
    rows = found["rows"]
    assert len(rows) == 19  # nine kinds of calls by many callers, and five by 1 and by 16
    assert all(row["rate"] > 0 and not row["errors"] for row in rows)
    assert all(used >= 0 for row in rows for used in row["cpu"].values())
    assert [row["cpu"].keys() for row in rows if "client" in row["cpu"]] == 4 * [{"client", "node"}]
    assert [ratio["target"] for ratio in found["ratios"] if ratio["target"]] == [
        ">= 0.9x", ">= 6x", ">= 25x"
    ]  # fmt: skip


async def test_the_cost_of_scale_is_measured(tmp_path: Path) -> None:
    found = await run("scale", tmp_path)
    taken = [each for row in found["rows"].values() for some in row.values() for each in some]
    assert min(taken) > 0
    assert len(found["ratios"]) == 7


async def test_a_short_soak_ends_well(tmp_path: Path) -> None:
    found = await run("soak", tmp_path)
    assert all(check["holds"] for check in found["checks"])
    for stream in found["streams"].values():
        assert stream["statuses"].keys() == {"200", "204", "304", "404"}
    assert found["memory"].keys() == {"gateway, near cache off", "gateway, near cache on", "node"}


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_benchmark_that_is_stopped_leaves_no_process(number: signal.Signals) -> None:
    process = await start("serve", "--only", "near-off-grpcio")
    assert process.stderr is not None
    await process.stderr.readuntil(b"All servers run.")
    started = set(tree(process.pid)) - {process.pid}
    assert started
    process.send_signal(number)
    await process.communicate()
    assert process.returncode == 128 + number
    async with asyncio.timeout(10):
        while any(Path(f"/proc/{pid}").exists() for pid in started):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)  # whoever reaps orphans may take a moment
