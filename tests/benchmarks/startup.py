"""How long it takes until there is an answer, and until the library is imported."""

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Final

from pinned import GAOCACHE, free_ports, serving

BOTH: Final = frozenset({0, 1})
IMPORT: Final = """\
from time import perf_counter
began = perf_counter()
from cache_core import Client, Group, Node
print(perf_counter() - began)
"""
PATIENCE: Final = 30.0
PAUSE: Final = 0.005


def seconds_to_answer() -> float:
    """Return the seconds from starting `gaocache up` with its demo to its first answer."""
    http, grpc = free_ports(2)
    url = f"http://127.0.0.1:{http}/groups/scores/keys/Tom"
    with tempfile.TemporaryDirectory() as folder:
        command = [GAOCACHE, "up", "--listen", f"127.0.0.1:{http}"]
        command += ["--node-listen", f"127.0.0.1:{grpc}", "--data-dir", folder]
        began = time.monotonic()
        with serving(command, http, cores=BOTH):
            while True:
                with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url):
                    return time.monotonic() - began
                if time.monotonic() - began > PATIENCE:
                    raise TimeoutError(f"{url} had no answer within {PATIENCE:g} s")
                time.sleep(PAUSE)


def seconds_to_import() -> float:
    """Return the seconds that importing the library's parts takes in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    return float(done.stdout)
