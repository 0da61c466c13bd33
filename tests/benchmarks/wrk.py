"""Load over HTTP/1.1, by wrk."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from load import BadOutput, Busy, Load, run_generator
from programs import program

SCRIPT: Final = Path(__file__).with_suffix(".lua")
PATIENCE: Final = "30s"
"""How long an answer may take until it counts as an error, much longer than any should."""


def run_wrk(url: str, *, connections: int, seconds: int, paths: Path | None = None) -> Load:
    """Ask for `url`, or for the paths in a file, over so many connections at full speed.

    Raises BadOutput.
    """
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", PATIENCE]
    command += ["-s", str(SCRIPT), url, *([str(paths)] if paths else [])]
    busy = Busy()
    said = run_generator(command)
    return replace(read_wrk(said), busy=busy.share)


def read_wrk(said: str) -> Load:
    """Return what wrk with our script said. Raises BadOutput."""
    match = re.search(r"^result (\{.*\})$", said, re.MULTILINE)
    if match is None:
        raise BadOutput(f"wrk said no result: {said}")
    result = json.loads(match[1])
    errors = {kind: count for kind, count in result.pop("errors").items() if count}
    if not result["requests"]:
        errors["no answer"] = 1
    return Load(**result, errors=errors)
