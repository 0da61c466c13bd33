"""`gaocache node`: one node."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.assembly import open_groups
from cache_core.config import ConfigError, Settings, load
from cache_core.events import Event, Hook, MemberBack, MemberLeftOut
from cache_core.logs import LogHook, logger
from cache_core.member import MAX_WEIGHT
from cache_core.membership.membership import MembershipError
from cache_core.node import DEFAULT_DRAIN, DEFAULT_GRACE, Node
from gateway.cli.demo import ensure_demo
from gateway.cli.failure import Failure
from gateway.cli.listening import is_wildcard, listen_failure
from gateway.cli.options import (
    DATA_DIR,
    MAX_SECONDS,
    PEERS_FORMS,
    PEERS_VARIABLE,
    ConfigOption,
    DataDirOption,
    GraceOption,
    LogLevel,
    LogLevelOption,
    SupervisedOption,
    check_peers,
    parse_address,
    set_up_logging,
)
from gateway.cli.stopping import Stop


def node(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve gRPC.")
    ] = DEFAULT_ADDRESS,
    peers: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar=PEERS_VARIABLE,
            help="The cluster to share the keys out with, all of which are given the same: "
            f"{PEERS_FORMS} Without it the node owns every key.",
        ),
    ] = None,
    advertise: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            show_default="as --listen",
            help="How the others reach this node, and its name among them; needed where --listen "
            "is a wildcard such as 0.0.0.0.",
        ),
    ] = None,
    weight: Annotated[
        int,
        typer.Option(
            min=1, max=MAX_WEIGHT, help="Its part of the keys: of weight 2, twice that of 1."
        ),
    ] = 1,
    drain: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=MAX_SECONDS,
            help="How long it goes on serving for once it has left its cluster.",
        ),
    ] = DEFAULT_DRAIN,
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

      gaocache node --listen 10.0.0.5:8080 --peers static://10.0.0.5:8080,10.0.0.6:8080

    """
    address = parse_address("--listen", listen)
    check_cluster(address, peers, advertise)
    set_up_logging(log_level)
    file = config or demo_config(data_dir)
    try:
        settings = load(file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    make_node = partial(
        Node,
        str(address),
        peers=peers,
        advertise=advertise,
        weight=weight,
        grace=grace,
        drain=drain,
    )
    uvloop.run(_serve(make_node, address, settings, file, supervised=supervised))


def check_cluster(listen: Address, peers: str | None, advertise: str | None) -> None:
    """Raise typer.BadParameter where others could not reach the node or are not to be found."""
    if advertise is not None and parse_address("--advertise", advertise).port == 0:
        raise typer.BadParameter(f"{advertise} has no port", param_hint="'--advertise'")
    if peers is None:
        return
    check_peers(peers)
    if advertise is None and is_wildcard(listen.host):
        raise typer.BadParameter(
            f"{listen} is every address of this machine; --advertise HOST:PORT should say which "
            "one the others reach this node at",
            param_hint="'--listen'",
        )


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
    make_node: "partial[Node]",
    address: Address,
    settings: Settings,
    file: Path,
    *,
    supervised: bool,
) -> None:
    stop = Stop(supervised=supervised)  # first, for a signal may come at any time
    try:
        groups = await open_groups(settings, file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    log = LogHook(lambda: serving.address)
    serving = make_node(groups, hook=_without_members(log) if supervised else log)
    try:
        await _start(serving, address)
        names = ", ".join(group.name for group in groups)
        print(
            serving.address if supervised else f"node {serving.address} serves {names}", flush=True
        )
        await stop.told.wait()
        logger.info("node %s is draining", serving.address)
    finally:
        await _stop(serving, stop)


def _without_members(log: Hook) -> Hook:
    """Return `log` without who is left out: the supervisor says who has died, once for all."""

    def hook(event: Event) -> None:
        if not isinstance(event, MemberLeftOut | MemberBack):
            log(event)

    return hook


async def _start(serving: Node, address: Address) -> None:
    try:
        await serving.start()
    except OSError as error:
        raise listen_failure(address, error) from error
    except MembershipError as error:
        raise Failure(f"{error} (see --peers and --advertise)") from error


async def _stop(serving: Node, stop: Stop) -> None:
    """Drain, unless or until the supervisor ends all, and stop."""
    stopping = asyncio.create_task(serving.stop(drain=not stop.deserted.is_set()))
    deserted = asyncio.create_task(stop.deserted.wait())
    await asyncio.wait({stopping, deserted}, return_when=asyncio.FIRST_COMPLETED)
    deserted.cancel()
    ended, _ = await asyncio.gather(stopping, serving.stop(drain=False), return_exceptions=True)
    if isinstance(ended, ExceptionGroup):
        for error in ended.exceptions:
            logger.warning("a source did not close well: %s", type(error).__name__)
