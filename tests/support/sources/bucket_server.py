"""A server of buckets as a process: started, frozen, killed and started again at its port."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Final, Self

START_SECONDS: Final = 30.0


class BucketServer:
    """The process that `command` starts, which is told its `{port}` of 127.0.0.1."""

    def __init__(self, command: Sequence[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._command = [word.replace("{port}", str(self._port)) for word in command]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def is_up(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the server ended at its start"
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), START_SECONDS),
            ):
                return
            time.sleep(0.02)
        raise AssertionError("the server does not start")

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # it may take a moment

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
