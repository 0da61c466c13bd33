"""Processes that serve on given cores until they are ended, by their ids."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from programs import program

GAOCACHE: Final = str(Path(sys.executable).with_name("gaocache"))
SERVERS: Final = frozenset({0})
"""The core that gateway and node, or what is measured against them, share."""
GENERATORS: Final = frozenset({1})
"""The core of who makes the load."""

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 15.0
LOOK_PAUSE: Final = 0.01


class Unready(Exception):
    """A process ended, or said nothing, before it served."""


@contextlib.contextmanager
def serving(
    command: Sequence[str],
    port: int,
    *,
    cores: Collection[int] = SERVERS,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run `command` on `cores`, from when it takes connections at `port`; yield its process id.

    It is ended with the `with`, and all that it has started. Raises Unready with its last words.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            on_cores(cores, command),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # a Ctrl-C is ours to pass on, in order
        )
        try:
            _until_ready(process, port)
        except TimeoutError as error:
            said.seek(0)
            words = said.read().decode(errors="replace")[-2000:].strip()
            raise Unready(f"{' '.join(command)}: {error}: {words}") from error
        else:
            yield process.pid
        finally:
            _end(process)


def on_cores(cores: Collection[int], command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` on `cores` alone, as the same process."""
    return [program("taskset"), "-c", ",".join(map(str, sorted(cores))), *command]


def free_ports(count: int) -> list[int]:
    """Return so many ports at which nobody listens."""
    with contextlib.ExitStack() as held:  # all at once, else a port could come twice
        socks = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in socks]


def _until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        if time.monotonic() > until:
            raise TimeoutError(f"took no connection within {READY_SECONDS:g} s")
        time.sleep(LOOK_PAUSE)
    raise TimeoutError(f"ended with {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # the session is its own
        process.wait()
