"""How long things take to start, in new processes that take turns; medians and the best, a table.

    python tests/benchmarks/start.py [--rounds 9] [--json FILE]

From exec to the end of the interpreter, or to the first answer over HTTP.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

GAOCACHE: Final = str(Path(sys.executable).with_name("gaocache"))
STATEMENTS: Final = (
    "pass",
    "import cache_core",
    "from cache_core import Client",
    "from cache_core import Client, Group, Node",
)
UPS: Final = ((), ("--nodes", "2", "--workers", "2"))


async def seconds_to_run(statement: str) -> float:
    """Return how long a new interpreter takes for `statement`."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", statement)
    status = await process.wait()
    took = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{statement} ended with {status}")
    return took


async def seconds_to_serve(*options: str) -> float:
    """Return how long `gaocache up` takes to answer, its demo's files not yet made."""
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    with tempfile.TemporaryDirectory(prefix="gao-") as data:
        environment = {**os.environ, "GAOCACHE_DATA_DIR": data}
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(GAOCACHE, "up", *free_ports, *options),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await ask(await port_said_by(process))
            return time.perf_counter() - began
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def ask(port: int) -> None:
    """Get the demo's first key at `port`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /groups/scores/keys/Tom HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200") or b'"630"' not in answer:
        raise RuntimeError(f"answered {answer!r}")


async def port_said_by(process: asyncio.subprocess.Process) -> int:
    """Return the port in the first URL that a `gaocache up` prints."""
    said = ""
    while not (found := re.search(r"http://\S+:(\d+)", said)):
        line = b"" if process.stdout is None else await process.stdout.readline()
        if not line:
            raise RuntimeError(f"gaocache up ended with {await process.wait()}")
        said += line.decode()
    return int(found[1])


async def measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender in each round."""
    contenders = {
        **{statement: partial(seconds_to_run, statement) for statement in STATEMENTS},
        **{" ".join(("gaocache up", *more)): partial(seconds_to_serve, *more) for more in UPS},
    }
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            found[name].append(await contender())
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How long things take to start.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.rounds))
    print(f"{'seconds':50} {'median':>7} {'best':>7}")
    for name, seconds in found.items():
        print(f"{name:50} {median(seconds):7.2f} {min(seconds):7.2f}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
