"""A gateway of several workers: processes that share one port, kept running by one more."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
import uvloop

from cache_core.address import Address
from cache_core.config import GatewayTable
from gateway.cli.failure import Failure
from gateway.cli.options.settings import flags, setting
from gateway.cli.processes.children import STOP_MARGIN
from gateway.cli.processes.shared_port import Listener, SharedPort
from gateway.cli.processes.stopping import Stop
from gateway.cli.processes.supervisor import Kept, keep_until, start_all

MAX_FOLDER_BYTES: Final = 90
"""The longest path of a folder for sockets, whose own paths fit into 107 bytes (unix(7))."""

WorkersOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "workers", metavar="NUMBER")
]
WorkerOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--worker-socket",
        hidden=True,
        help="Be one of the workers: that of this name, a path whose last part is a number.",
    ),
]
SocketOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--socket", hidden=True, help="Serve at the socket with this descriptor."),
]


def serve_with_workers(
    table: GatewayTable,
    config: Path | None,
    options: dict[str, object],
    ready: Callable[[Address], str],
    *,
    supervised: bool,
) -> None:
    """Run workers of the gateway that `table` describes until Ctrl-C or SIGTERM.

    They are given `config` and the gateway's own `options`. Once they serve, the line that `ready`
    returns for their address is printed. Raises Failure.
    """
    with SharedPort(table.listen) as port, _private_folder() as folder:
        given = flags(**{**options, "listen": port.address, "workers": table.workers})
        if config is not None:
            given += ["--config", str(config)]
        listeners = [Listener(port) for _ in range(table.workers)]
        kept: list[Kept] = []
        for number, listener in enumerate(listeners, start=1):
            arguments = ["gateway", *given, "--worker-socket", str(folder / str(number))]
            # A supervisor reads only the first line of the output.
            say = partial(print, file=sys.stderr if supervised else sys.stdout, flush=True)
            kept.append(Kept(f"worker {number}", arguments, kept, listener=listener, say=say))

        def release() -> None:
            """Leave the port to the workers: once they stop listening, nobody listens."""
            port.close()
            for listener in listeners:
                listener.shut()

        def welcome() -> None:
            print(ready(port.address), flush=True)

        patience = table.drain + table.grace
        uvloop.run(_run(kept, welcome, release, patience=patience, supervised=supervised))


def leave_folder(worker: Path) -> None:
    """Remove the folder of the `worker` socket, unless another worker's socket is still in it.

    It is for a worker that ends because its supervisor does. The supervisor removes the folder
    itself, unless it was killed.
    """
    with suppress(OSError):
        worker.parent.rmdir()


def stopping_seconds(table: GatewayTable) -> float:
    """Return the seconds that the gateway of `table` may take once it is told to stop."""
    own = STOP_MARGIN if table.workers > 1 else 0  # it ends a worker that hangs
    return table.drain + table.grace + own


async def _run(
    kept: Sequence[Kept],
    welcome: Callable[[], None],
    release: Callable[[], None],
    *,
    patience: float,
    supervised: bool,
) -> None:
    told = Stop(supervised=supervised).told
    try:
        await keep_until(told, kept, start_all(kept), welcome)
    finally:
        release()
        await asyncio.gather(*(worker.stop(grace=patience) for worker in kept))


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Make a folder for sockets, which no other user may enter, for the time of this context.

    Raises Failure.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="gaocache-"))
    except OSError as error:
        raise Failure(f"can't make a folder for the workers' sockets: {error.strerror}") from error
    try:
        if len(os.fsencode(folder)) > MAX_FOLDER_BYTES:
            words = "is too long a path for the workers' sockets; set TMPDIR to a shorter one"
            raise Failure(f"{folder} {words}")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
