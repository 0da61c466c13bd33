"""`gaocache node`: one node."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.assembly import open_groups
from cache_core.config import ConfigError, Settings, load
from cache_core.logs import LogHook, logger
from cache_core.node import DEFAULT_GRACE, Node
from gateway.cli.demo import ensure_demo
from gateway.cli.failure import Failure, listen_failure
from gateway.cli.options import (
    DATA_DIR,
    ConfigOption,
    DataDirOption,
    GraceOption,
    LogLevel,
    LogLevelOption,
    SupervisedOption,
    parse_address,
    set_up_logging,
)
from gateway.cli.stopping import stop_event


def node(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve gRPC.")
    ] = DEFAULT_ADDRESS,
    config: ConfigOption = None,
    data_dir: DataDirOption = DATA_DIR,
    grace: GraceOption = DEFAULT_GRACE,
    log_level: LogLevelOption = LogLevel.warning,
    supervised: SupervisedOption = False,
) -> None:
    """Serve groups of keys over gRPC until Ctrl-C or SIGTERM.

    Examples:
      gaocache node

      gaocache node --listen 0.0.0.0:8080 --config gaocache.toml

    """
    address = parse_address("--listen", listen)
    set_up_logging(log_level)
    file = config or demo_config(data_dir)
    try:
        settings = load(file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    uvloop.run(_serve(address, settings, file, grace=grace, supervised=supervised))


def demo_config(data_dir: Path) -> Path:
    """Return the demo's config in `data_dir`. Raises Failure where it can't be made."""
    try:
        return ensure_demo(data_dir)
    except OSError as error:
        raise Failure(
            f"can't make the demo's files in {data_dir}: {error.strerror}; "
            "choose another folder with --data-dir"
        ) from error


async def _serve(
    address: Address, settings: Settings, file: Path, *, grace: float, supervised: bool
) -> None:
    stop = stop_event(supervised=supervised)  # first, for a signal may come at any time
    try:
        groups = await open_groups(settings, file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    serving = Node(str(address), groups, hook=LogHook(lambda: serving.address), grace=grace)
    try:
        await _start(serving, address)
        names = ", ".join(group.name for group in groups)
        print(
            serving.address if supervised else f"node {serving.address} serves {names}", flush=True
        )
        await stop.wait()
        logger.info("node %s is draining", serving.address)
    finally:
        await _stop(serving)


async def _stop(serving: Node) -> None:
    try:
        await serving.stop()
    except* Exception as errors:  # noqa: BLE001 - whatever any source raises
        for error in errors.exceptions:
            logger.warning("a source did not close well: %s", type(error).__name__)


async def _start(serving: Node, address: Address) -> None:
    try:
        await serving.start()
    except OSError as error:
        raise listen_failure(address, error) from error
