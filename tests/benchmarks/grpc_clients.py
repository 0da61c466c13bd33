"""What a Get costs at the client: by our channel, and by grpc.aio."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from h2load import percentile
from keyset import GROUP
from load import Load, run_generator
from sampling import MICRO, Sample, sample
from stage import Server

OURS: Final = "ours"
GRPCIO: Final = "grpcio"
CLIENT: Final = "client"
"""The client's part of the CPU time."""

_PROGRAM: Final = Path(__file__).parent / "apps" / "grpc_gets.py"


@dataclass(frozen=True, slots=True)
class Gets:
    """Gets of `key`, a value of `size` bytes at `node`, by so many callers in one process."""

    by: str
    node: Server
    key: str
    size: int
    callers: int

    def sample(self, seconds: int) -> Sample:
        """Make them for so long. Raises BadOutput."""
        arguments = [self.by, self.node.port, GROUP, self.key, self.size, self.callers, seconds]
        command = [sys.executable, str(_PROGRAM), *map(str, arguments)]
        used: list[float] = []

        def run() -> Load:
            said = json.loads(run_generator(command))
            micros = said["micros"]
            used.append(said["cpu"] / len(micros) * MICRO)
            p50, p99, p999 = (percentile(micros, of) / 1e3 for of in (50, 99, 99.9))
            return Load(len(micros), said["seconds"], p50, p99, p999, {})

        taken = sample(self.node.parts, run)
        return Sample(taken.load, {CLIENT: used[0], **taken.cpu})
