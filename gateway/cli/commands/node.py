"""`gaocache node`: one node."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import uvloop

from cache_core.address import Address
from cache_core.config import ConfigError, NodeTable, Settings
from cache_core.config.groups import open_groups
from cache_core.events import Hook, MemberBack, MemberLeftOut
from cache_core.group.group import Group
from cache_core.logs import LogHook, logger
from cache_core.membership.membership import MembershipError
from cache_core.node.node import Node
from gateway.cli.demo import demo_config
from gateway.cli.failure import Failure
from gateway.cli.options.node import GrpcEngineOption, NodeGraceOption, NodeLogLevelOption
from gateway.cli.options.settings import as_failure, given, load_settings, setting
from gateway.cli.options.shared import (
    DATA_DIR,
    ConfigOption,
    DataDirOption,
    SupervisedOption,
    set_up_logging,
)
from gateway.cli.processes.descriptors import raise_limit
from gateway.cli.processes.hangups import on_hangup
from gateway.cli.processes.listening import is_wildcard, listen_failure
from gateway.cli.processes.reloading import Reloading
from gateway.cli.processes.stopping import Stop


def node(
    listen: Annotated[str | None, setting(NodeTable, "node", "listen", metavar="HOST:PORT")] = None,
    peers: Annotated[str | None, setting(NodeTable, "node", "peers", metavar="URL")] = None,
    advertise: Annotated[
        str | None, setting(NodeTable, "node", "advertise", metavar="HOST:PORT")
    ] = None,
    weight: Annotated[str | None, setting(NodeTable, "node", "weight", metavar="NUMBER")] = None,
    drain: Annotated[str | None, setting(NodeTable, "node", "drain", metavar="SECONDS")] = None,
    grace: NodeGraceOption = None,
    grpc_engine: GrpcEngineOption = None,
    log_level: NodeLogLevelOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = DATA_DIR,
    supervised: SupervisedOption = False,
) -> None:
    """Serve groups of keys over gRPC until Ctrl-C or SIGTERM.

    On SIGHUP it reads the config anew and takes over what it says of groups,
    without losing what it holds; all else holds once it is started anew.

    Examples:
      gaocache node

      gaocache node --listen 0.0.0.0:8080 --config gaocache.toml

      gaocache node --listen 10.0.0.5:8080 --peers static://10.0.0.5:8080,10.0.0.6:8080

    """
    options = tuple(
        given(
            "node",
            listen=listen,
            peers=peers,
            advertise=advertise,
            weight=weight,
            drain=drain,
            grace=grace,
            grpc_engine=grpc_engine,
            log_level=log_level,
        )
    )
    file = config or demo_config(data_dir)
    settings = load_settings(file, *options)
    check_cluster(settings)
    set_up_logging(settings.node.log_level)
    raise_limit()
    again = partial(load_settings, file, *options)
    uvloop.run(_serve(settings, file, again, supervised=supervised))


def check_cluster(settings: Settings) -> None:
    """Raise Failure where others could not reach the node."""
    table = settings.node
    if table.peers is None or table.advertise is not None or not is_wildcard(table.listen.host):
        return
    words = (
        f"{table.listen} is every address of this machine; --advertise HOST:PORT should say which "
        "one the others reach this node at"
    )
    raise as_failure(ConfigError(settings.problem(("node", "listen"), words)))


def _make_node(table: NodeTable, groups: Sequence[Group], hook: Hook) -> Node:
    return Node(
        str(table.listen),
        groups,
        peers=None if table.peers is None else table.peers.get_secret_value(),
        advertise=None if table.advertise is None else str(table.advertise),
        weight=table.weight,
        hook=hook,
        grace=table.grace,
        drain=table.drain,
        grpc_engine=table.grpc_engine,
        connection_memory=table.connection_memory,
        total_connection_memory=table.total_connection_memory,
        max_connections=table.max_connections,
    )


async def _serve(
    settings: Settings, file: Path, again: Callable[[], Settings], *, supervised: bool
) -> None:
    stop = Stop(supervised=supervised)  # first, because a signal may come at any time
    wanted = asyncio.Event()
    on_hangup(reload=wanted.set, gone=stop.told.set)
    try:
        groups = await open_groups(settings, file)
    except ConfigError as error:
        raise Failure(str(error)) from error
    # The supervisor says which node has died, once for all nodes.
    silent = (MemberLeftOut, MemberBack) if supervised else ()
    serving = _make_node(settings.node, groups, LogHook(lambda: serving.address, silent=silent))
    reloading = Reloading(settings, file, again, serving.reload)
    try:
        await _start(serving, settings.node.listen)
        names = ", ".join(group.name for group in groups)
        print(
            serving.address if supervised else f"node {serving.address} serves {names}", flush=True
        )
        logger.info("node %s serves by the %s engine", serving.address, serving.grpc_engine)
        await _first_to_end(serving.ended(), reloading.whenever(wanted), stop.told.wait())
        logger.info("node %s is draining", serving.address)
    finally:
        await _stop(serving, stop)


async def _first_to_end(*waits: Coroutine[None, None, object]) -> None:
    """Return once one of `waits` has returned, or raise its error. The others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _start(serving: Node, address: Address) -> None:
    try:
        await serving.start()
    except OSError as error:
        raise listen_failure(address, error) from error
    except MembershipError as error:
        raise Failure(f"{error} (see --peers and --advertise)") from error


async def _stop(serving: Node, stop: Stop) -> None:
    """Drain and stop the node; the drain ends, or is left out, once the supervisor ends all."""
    stopping = asyncio.create_task(serving.stop(drain=not stop.deserted.is_set()))
    deserted = asyncio.create_task(stop.deserted.wait())
    await asyncio.wait({stopping, deserted}, return_when=asyncio.FIRST_COMPLETED)
    deserted.cancel()
    ended, _ = await asyncio.gather(stopping, serving.stop(drain=False), return_exceptions=True)
    if isinstance(ended, ExceptionGroup):
        for error in ended.exceptions:
            logger.warning("a source did not close well: %s", type(error).__name__)
