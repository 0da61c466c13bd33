"""A mixture of requests at full speed, by wrk, and what their statuses were."""

import asyncio
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchanges import Exchanges
from keyset import target
from load import BadOutput
from pinned import GENERATORS, on_cores
from programs import program
from wrk import PATIENCE

SCRIPT: Final = Path(__file__).with_name("soak.lua")
EXPECTED: Final = {"200", "204", "304", "404"}
PART_MISSING, PART_REMOVED, PART_KNOWN = 0.05, 0.002, 0.1
KNOWN: Final = 200
"""Of how many keys the entity tags are asked for."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How many answers wrk had by status, and how many errors by kind, in so many seconds."""

    seconds: float
    statuses: Mapping[str, int]
    errors: Mapping[str, int]

    @property
    def wrong(self) -> list[str]:
        """What should not have been, in words."""
        odd = [f"{n:,} x {status}" for status, n in self.statuses.items() if status not in EXPECTED]
        return odd + [f"{n:,} x socket {kind}" for kind, n in self.errors.items() if n]


async def write_mixture(port: int, keys: Sequence[str], file: Path, rng: random.Random) -> Path:
    """Write requests for keys to `file`: most are GETs, some of missing keys, some conditional."""
    tags: dict[str, str] = {}
    async with Exchanges(port) as exchanges:
        for key in dict.fromkeys(keys[:KNOWN]):
            tags[key] = (await exchanges.ask("GET", target(key))).fields["etag"]

    def line(key: str) -> str:
        chance = rng.random()
        if chance < PART_MISSING:
            return f"GET {target(f'missing/{key}')}"
        if chance < PART_MISSING + PART_REMOVED:
            return f"DELETE {target(key)}"
        if chance < PART_MISSING + PART_REMOVED + PART_KNOWN and key in tags:
            return f"GET {target(key)} {tags[key]}"
        return f"GET {target(key)}"

    file.write_text("".join(f"{line(key)}\n" for key in keys))
    return file


async def run_mixture(port: int, file: Path, *, connections: int, seconds: int) -> Stream:
    """Have wrk ask for what `file` says. Raises BadOutput. Cancelled, wrk is ended."""
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", PATIENCE]
    command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}/", str(file)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *on_cores(GENERATORS, command), stdout=pipe, stderr=pipe
    )
    try:
        said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    match = re.search(rb"^result (\{.*\})$", said, re.MULTILINE)
    if match is None:
        raise BadOutput(f"wrk said no result: {said.decode()} {complaint.decode()}")
    return Stream(**json.loads(match[1]))
