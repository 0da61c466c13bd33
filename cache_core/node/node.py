"""A node: groups by name, served at an address. Applications embed it."""

import asyncio
import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.cluster.member import Member
from cache_core.errors import InvalidKey, KeyRequired, PeerUnavailable
from cache_core.events import Hook
from cache_core.group.group import Group
from cache_core.membership.membership import Membership
from cache_core.membership.static import StaticMembership
from cache_core.membership.url import open_membership
from cache_core.messages import NodeInfo, Removal, RemoveEverywhere
from cache_core.node.groups import NodeGroups, Reloaded
from cache_core.node.participant import Participant
from cache_core.rpc.channel import Channel
from cache_core.rpc.engine import DEFAULT_BOUNDS, ConnectionBounds, Engine, GrpcEngine
from cache_core.rpc.engine_choice import choose_engine, engine_here
from cache_core.rpc.service import Service
from cache_core.value import Demand, Value

DEFAULT_GRACE: Final = 10.0
"""Seconds that running calls get to finish in when a node stops."""

DEFAULT_DRAIN: Final = 2.0
"""Seconds that a node serves on once it has left its cluster: others probe it every second."""


class Node:
    """Serves `groups` over gRPC at `address`, `host:port`; port 0 takes a free one.

    With `peers`, a Membership or what `open_membership` takes, it is one of a cluster that shares
    the keys out; the others reach it at `advertise`, by default `address`, and it owns a part in
    proportion to its `weight`. `hook` is told of every event in the node and its groups, except a
    Received or a Hit that it passes over as a SelectiveHook. `drain` and `grace` are in seconds, as
    DEFAULT_DRAIN and DEFAULT_GRACE. `grpc_engine` is a GrpcEngine's value. Use it with `async
    with`, or call start and stop. Nothing is global: any number of nodes live in one process.
    Raises InvalidAddress, InvalidMembership, and ValueError for two groups of one
    name, an unknown engine, or bounds for memory that leave no room for a message.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        groups: Iterable[Group] = (),
        *,
        peers: str | Membership | None = None,
        advertise: str | None = None,
        weight: int = 1,
        hook: Hook | None = None,
        grace: float = DEFAULT_GRACE,
        drain: float = DEFAULT_DRAIN,
        grpc_engine: str = GrpcEngine.AUTO,
        connection_memory: int = DEFAULT_BOUNDS.connection,
        total_connection_memory: int = DEFAULT_BOUNDS.total,
        max_connections: int = DEFAULT_BOUNDS.most,
    ) -> None:
        self._listen = Address.parse(address)
        self._address = self._listen
        self._membership = open_membership(peers) if isinstance(peers, str) else peers
        self._advertise = None if advertise is None else str(Address.parse(advertise))
        self._weight = weight
        self._groups = NodeGroups(groups, hook)
        self._hook = hook
        self._grace = grace
        self._drain = drain
        self._participant: Participant | None = None
        self.grpc_engine: Final = engine_here(GrpcEngine(grpc_engine))
        """The engine that carries the node's calls: GRPCIO or NATIVE."""
        bounds = ConnectionBounds.checked(
            connection_memory, total_connection_memory, max_connections
        )
        self._open_engine = choose_engine(self.grpc_engine, bounds)
        self._server: Engine | None = None
        self._over = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._stopping: asyncio.Task[None] | None = None
        self._draining: asyncio.Timeout | None = None

    @property
    def address(self) -> str:
        """Where the node serves, as `host:port`; with the port in use once it has started."""
        return str(self._address)

    def group(self, name: str) -> Group:
        """Return this node's own part of the group of that name. Raises KeyError."""
        return self._groups[name]

    async def get(self, group: str, key: str, *, demand: Demand = Demand.ANY) -> Value:
        """Return the key's value as `demand` asks, from here or from its owner.

        Raises CacheError; it is PeerUnavailable where the node has not been started.
        """
        InvalidKey.check(group, key)
        participant = self._serving()
        value = participant.peek(group, key, demand=demand)
        return await participant.get(group, key, demand=demand) if value is None else value

    async def remove(self, group: str, key: str) -> tuple[str, ...]:
        """Remove `key` everywhere: after it, no get returns a value that was loaded before.

        Return the names of the nodes, watchers and second tier that were not reached. Nodes and the
        tier are told when they answer again; until then such a node answers from its own entries.
        Copies at such a node end within the group's `hot_ttl`, a watcher's within three seconds.
        Raises InvalidKey, KeyRequired, UnknownGroup and PeerUnavailable.
        """
        InvalidKey.check(group, key)
        if not key:
            raise KeyRequired
        return await self._serving().receive(RemoveEverywhere(Removal(group, key)))

    async def flush(self, group: str) -> tuple[str, ...]:
        """Remove all keys of `group` everywhere, as `remove` does one."""
        return await self._serving().receive(RemoveEverywhere(Removal(group)))

    async def reload(self, groups: Iterable[Group]) -> Reloaded:
        """Serve `groups` in place of those the node has, and keep the entries that are held.

        A group that the node has goes on by the settings and the source of the new one of its name;
        the new one itself must not be used any more. A group whose name is not among `groups` is
        closed. Raises ValueError for two groups of one name.
        """
        async with self._turn:
            return self._groups.reload(groups, self._participant)

    def info(self) -> NodeInfo:
        """Return the node, its members and its figures as they are now."""
        return self._serving().info()

    async def start(self) -> None:
        """Serve, also after a stop, and join the cluster.

        Raises OSError where the node can't listen at the address, and MembershipError.
        """
        async with self._turn:
            server = self._open_engine(self._address)
            self._address = server.bind()
            if self._participant is None:
                self._participant = Participant(
                    self._advertise or str(self._address),
                    self._groups,
                    lambda name: Channel(Address.parse(name)),
                    hook=self._hook,
                )
            self._server = server
            self._stopping = None
            self._over.clear()
            try:
                await self._join(server, self._participant)
            except BaseException:
                await self._end(drain=False)
                raise

    async def stop(self, *, drain: bool = True) -> None:
        """Leave the cluster, drain, let running calls finish within the grace, close sources.

        Without `drain` the node hands nothing over and doesn't wait for the others to hear of it:
        for a cluster that ends as a whole. Every source is closed once, even where another fails;
        one that takes too long is left behind. The errors of sources are raised in an
        ExceptionGroup. A caller that gives up waiting does not end the stop. A node that has
        stopped is left as it is. So is one that is stopping, but a call without `drain` cuts its
        drain short.
        """
        if self._draining is not None and not drain:
            self._draining.reschedule(asyncio.get_running_loop().time())
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(drain=drain))
        if not self._stopping.done():
            await asyncio.shield(self._stopping)

    async def ended(self) -> None:
        """Return once the node, which has been started, has been stopped; raises as `stop` does."""
        await self._over.wait()
        await self.stop()

    async def _join(self, server: Engine, participant: Participant) -> None:
        me = Member(participant.name, self._weight)
        membership = self._membership or StaticMembership([me])
        participant.open(membership.watch())
        await server.start(Service(participant, self._hook))
        self._sweeping = asyncio.create_task(self._groups.sweep(participant))
        await participant.take_own()
        participant.is_ready = True
        await membership.join(me)
        participant.announce()

    async def _stop(self, *, drain: bool) -> None:
        async with self._turn:
            try:
                await self._end(drain=drain)
            finally:
                self._over.set()

    async def _end(self, *, drain: bool) -> None:
        """End all that was started, each part even where another fails."""
        server, self._server = self._server, None
        participant = self._participant
        if server is None or participant is None:
            return
        async with contextlib.AsyncExitStack() as ending:
            ending.push_async_callback(self._groups.close_sources)
            if self._membership is not None:
                # The node does not hear of removals from now on.
                ending.callback(self._groups.flush)
            ending.push_async_callback(participant.aclose)
            ending.push_async_callback(server.stop, self._grace)
            if self._sweeping is not None:
                ending.callback(self._sweeping.cancel)
            await self._leave(participant, drain=drain)

    async def _leave(self, participant: Participant, *, drain: bool) -> None:
        """Leave the membership; to drain, let others take over and go on until all have heard."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._drain
        participant.is_ready = False
        if self._membership is not None:
            await self._membership.leave()
        if not drain:
            return
        with contextlib.suppress(TimeoutError):  # the drain was cut short
            try:
                async with asyncio.timeout(None) as self._draining:
                    if await participant.leave():
                        await asyncio.sleep(until - loop.time())
            finally:
                self._draining = None

    def _serving(self) -> Participant:
        if self._participant is None or self._server is None:
            raise PeerUnavailable("the node has not been started")
        return self._participant

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
