"""Load over gRPC, by h2load, which knows HTTP/2 and is told the rest."""

import re
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import Message
from load import BadOutput, Busy, Load, run_generator
from pinned import GENERATORS
from programs import program

CLIENTS: Final = 4
STREAMS: Final = 16
"""How many calls each client has under way: 64 callers in all."""

_COUNTS: Final = re.compile(r"(\d+) (done|failed|errored|timeout|2xx|3xx|4xx|5xx)")
_DATA: Final = re.compile(r"\((\d+)\) data$", re.MULTILINE)
_ELAPSED: Final = re.compile(r"^finished in ([\d.]+)(us|ms|s|m)\b", re.MULTILINE)
_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a node: where, the request, and the fewest bytes that an answer has.

    `keys` is how many keys it asks for.
    """

    url: str
    body: bytes
    least: int
    keys: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What h2load printed: answers, seconds, the bytes of their data, and what went wrong."""

    done: int
    seconds: float
    data: int
    errors: dict[str, int]


def framed(message: Message) -> bytes:
    """Return `message` as gRPC sends it in a request's body."""
    data = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4) + data


def run_h2load(
    calls: Sequence[Call],
    *,
    seconds: int,
    cores: Collection[int] = GENERATORS,
    clients: int = CLIENTS,
    streams: int = STREAMS,
) -> Load:
    """Make each of `calls` at full speed, one generator each; return what all saw, in keys.

    A generator has so many `clients`, each with `streams` calls under way.

    An answer that is too short is an error, for h2load does not read gRPC's status.
    Raises BadOutput.
    """

    def run(call: Call) -> tuple[Said, list[int]]:
        with tempfile.TemporaryDirectory() as folder:
            body, log = Path(folder, "request"), Path(folder, "log")
            body.write_bytes(call.body)
            command = [program("h2load"), "-t1", f"-c{clients}", f"-m{streams}", f"-D{seconds}"]
            command += ["-H", "te: trailers", "-H", "content-type: application/grpc"]
            command += ["-d", str(body), f"--log-file={log}", call.url]
            return read_h2load(run_generator(command, cores)), read_log(log.read_text())

    busy = Busy()
    with ThreadPoolExecutor(len(calls)) as generators:
        ran = list(generators.map(run, calls))
    share = busy.share
    micros = sorted(taken for _, log in ran for taken in log)
    errors: dict[str, int] = {}
    for call, (said, _) in zip(calls, ran, strict=True):
        short = {"short": 1} if said.data < call.least * said.done else {}
        for kind, count in (said.errors | short).items():
            errors[kind] = errors.get(kind, 0) + count
    return Load(
        sum(said.done * call.keys for call, (said, _) in zip(calls, ran, strict=True)),
        max(said.seconds for said, _ in ran),
        percentile(micros, 50) / 1e3,
        percentile(micros, 99) / 1e3,
        percentile(micros, 99.9) / 1e3,
        errors,
        share,
    )


def read_h2load(said: str) -> Said:
    """Return what h2load said. Raises BadOutput."""
    elapsed, data = _ELAPSED.search(said), _DATA.search(said)
    counts = {name: int(count) for count, name in _COUNTS.findall(said)}
    if elapsed is None or data is None or "done" not in counts:
        raise BadOutput(f"h2load said no result: {said}")
    done = counts.pop("done")
    answered = counts.pop("2xx", 0)
    errors = {kind: count for kind, count in counts.items() if count}
    if not answered:
        errors["no answer"] = 1
    return Said(done, float(elapsed[1]) * _UNITS[elapsed[2]], int(data[1]), errors)


def read_log(log: str) -> list[int]:
    """Return the microseconds of each answer in h2load's log, without those that failed."""
    lines = (line.split("\t") for line in log.splitlines())
    return [int(micros) for _, status, micros in lines if status != "-1"]


def percentile(ordered: Sequence[float], of: float) -> float:
    """Return what `of` per cent of `ordered` do not exceed; 0 of nothing."""
    return ordered[min(int(len(ordered) * of / 100), len(ordered) - 1)] if ordered else 0.0
