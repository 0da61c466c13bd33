"""The processes that `gaocache up`, and a gateway with workers, start and stop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from typing import Final, Self, cast

from gateway.cli.failure import Failure

STOP_MARGIN: Final = 5.0
"""Seconds beyond its own grace after which a child that was told to stop is killed."""


class Child:
    """A `gaocache` subcommand in a process of its own, in a session of its own.

    A Ctrl-C at the terminal reaches its supervisor alone, which stops the children in order.
    The child stops by itself when its supervisor dies, because its standard input closes then.
    """

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, output: asyncio.StreamReader
    ) -> None:
        self.name = name
        self._process = process
        self._output = output

    @classmethod
    async def start(
        cls, name: str, arguments: Sequence[str], descriptors: Sequence[int] = ()
    ) -> Self:
        """Run `gaocache ARGUMENTS` with the open `descriptors`; return it once it serves.

        Raises Failure where it ends before.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a folder `gateway` in the user's current folder is not ours
            "-m",
            "gateway.cli",
            *arguments,
            "--supervised",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=descriptors,
        )
        child = cls(name, process, cast("asyncio.StreamReader", process.stdout))
        try:
            await child._wait_until_ready()
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        status = self._process.returncode
        if status is not None and status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}" if status else "has ended"

    async def wait(self) -> None:
        """Return once the process has ended."""
        await self._process.wait()

    def hang_up(self) -> None:
        """Send the process SIGHUP."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGHUP)

    async def stop(self, *, grace: float) -> None:
        """Tell the process that its supervisor ends all, and return once it has ended.

        It is killed where it takes STOP_MARGIN longer than `grace`, both in seconds.
        """
        cast("asyncio.StreamWriter", self._process.stdin).close()
        try:
            await asyncio.wait_for(self._process.wait(), grace + STOP_MARGIN)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _wait_until_ready(self) -> None:
        line = await self._output.readline()
        if not line:
            status = await self._process.wait()
            if status > 0:  # it has said why
                raise Failure(exit_status=status)
            raise Failure(f"{self.name} {self.ending} before it served")
