"""The client, by which a program asks a cluster; the gateway is one such program."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from types import TracebackType
from typing import Final, Self

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.client.failover import Failed, Failover
from cache_core.client.near import NearCache, NearStats
from cache_core.client.near_copies import Held
from cache_core.client.pending import PendingGet
from cache_core.client.watch import watch_for
from cache_core.cluster.health import SILENCE_SECONDS
from cache_core.cluster.link import Link, settling
from cache_core.cluster.peer import Peer
from cache_core.cluster.peers import Peers
from cache_core.errors import CacheError, InvalidKey, KeyRequired, PeerUnavailable
from cache_core.events import Hook
from cache_core.membership.membership import Membership
from cache_core.membership.url import open_membership
from cache_core.messages import Describe, NodeInfo, Probe, Probed, Removal, RemoveEverywhere
from cache_core.rpc.channel import Channel
from cache_core.stats import CacheStats
from cache_core.value import Demand, Then, Value

DEFAULT_TIMEOUT: Final = 1.0
"""Seconds that a call may take where its caller names no timeout."""


class Client:
    """Gets keys from the nodes that `nodes` names, each from its owner, over kept connections.

    `nodes` is a Membership or what `open_membership` takes: one node's `host:port`,
    `static://…`, `dns://…`, `etcd://…`. Keys asked for in one turn of the event loop go to their
    owner in one call. A node that can't be reached is left out, and its keys are asked of the
    nodes that take over, within the call's time and a budget of retries. `connect` makes the Peer
    at a node's address; `rng` spreads the probes. Up to `near_cache` bytes hold copies of nodes'
    answers, which a removal ends before it returns. Their times, and how long nodes take to answer,
    are by `clock`, in seconds.

    A call that names no `timeout` has the client's, in seconds. Infinity means no deadline; a
    negative timeout or NaN raises ValueError. A call raises the errors that Group.get raises in
    process, with the node's words, and UnknownGroup, PeerUnavailable, DeadlineExceeded,
    ValueTooLarge and UnexpectedStatus. Belongs to one event loop. Raises InvalidMembership.
    """

    def __init__(
        self,
        nodes: str | Membership = DEFAULT_ADDRESS,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        near_cache: int = 0,
        hook: Hook | None = None,
        connect: Callable[[str], Peer] = lambda name: Channel(Address.parse(name)),
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        if near_cache < 0:
            raise ValueError(f"a near cache should have 0 bytes or more, not {near_cache}")
        self._membership = open_membership(nodes) if isinstance(nodes, str) else nodes
        self._timeout = _seconds(timeout)
        self._failover = Failover()
        self._near = NearCache(near_cache, clock) if near_cache else None
        watch = partial(watch_for, self._near)
        self._new_peers = partial(Peers, connect, self._probe, hook=hook, watch=watch, rng=rng)
        self._peers: Peers | None = None

    async def get(
        self,
        group: str,
        key: str,
        *,
        demand: Demand = Demand.ANY,
        timeout: float | None = None,
    ) -> Value:
        """Return the value of `key` in `group`, from a near copy or its owner. Raises CacheError.

        A node that knows no demands answers as if `demand` were ANY.
        """
        seconds = self._seconds(timeout)
        if self._near is not None and demand is not Demand.NEW:
            copy = self._near.peek(group, key)
            if copy is not None:
                return copy
        InvalidKey.check(group, key)
        deadline = self._deadline(seconds)
        peers = await self._known(seconds)
        owner = peers.owner(key)
        if owner is None:
            raise PeerUnavailable("the cluster has no members")
        outcome: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        pending = PendingGet(self._ask_others, group, key, demand, deadline, settling(outcome))
        self._failover.begin()
        pending.begin(peers, owner)
        try:
            return await outcome
        finally:
            pending.give_up()

    def ask(
        self,
        group: str,
        key: str,
        *,
        demand: Demand = Demand.ANY,
        deadline: float,
        then: Then,
    ) -> PendingGet:
        """Call `then` by `deadline` with the outcome that `get` would have; return the PendingGet.

        `deadline` is by the event loop's clock; `group` and `key` have to be text that UTF-8 can
        carry. Where the key's owner answers, this takes neither a task nor a future.
        """
        pending = PendingGet(self._ask_others, group, key, demand, deadline, then)
        if self._near is not None and demand is not Demand.NEW:
            copy = self._near.peek(group, key)
            if copy is not None:
                pending.answer(copy)
                return pending
        peers = self._peers
        owner = None if peers is None else peers.owner(key)
        if peers is None or owner is None:
            pending.go_on(None)
        else:
            self._failover.begin()
            pending.begin(peers, owner)
        return pending

    def peek(self, group: str, key: str) -> Value | None:
        """Return the near cache's fresh copy of the key's value, at once, or None."""
        return None if self._near is None else self._near.peek(group, key)

    def hold(self, group: str, key: str) -> Held | None:
        """Return the copy just peeked, to be asked later if it still holds; None without one."""
        return None if self._near is None else self._near.hold(group, key)

    def near_stats(self) -> dict[str, NearStats]:
        """Return the near cache's figures for each group of which it has or had copies."""
        return {} if self._near is None else self._near.group_stats()

    def near_cache_stats(self) -> CacheStats | None:
        """Return the figures of the whole near cache, None where the client has none."""
        return None if self._near is None else self._near.stats()

    async def get_many(
        self, group: str, keys: Iterable[str], *, timeout: float | None = None
    ) -> dict[str, Value | CacheError]:
        """Return each key's outcome: its value, or the error that `get` would have raised."""
        names = list(keys)
        outcomes = await asyncio.gather(*(self._outcome(group, key, timeout) for key in names))
        return dict(zip(names, outcomes, strict=True))

    async def remove(
        self, group: str, key: str, *, timeout: float | None = None
    ) -> tuple[str, ...]:
        """Remove `key` everywhere: after it, no get returns a value that was loaded before.

        Return the names of the nodes, watchers and second tier that were not reached. At a node,
        copies end within the group's `hot_ttl`, own entries once it is told; at a watcher, copies
        end within three seconds. Raises CacheError where no node confirms the removal, which may
        go on all the same.
        """
        InvalidKey.check(group, key)
        if not key:
            raise KeyRequired
        try:
            return await self._remove(Removal(group, key), key, timeout)
        finally:
            if self._near is not None:  # it may be watching no node now
                self._near.remove(group, key)

    async def flush(self, group: str, *, timeout: float | None = None) -> tuple[str, ...]:
        """Remove all keys of `group` everywhere, as `remove` does one."""
        InvalidKey.check(group)
        try:
            return await self._remove(Removal(group), "", timeout)
        finally:
            if self._near is not None:
                self._near.flush(group)

    async def describe(self, *, timeout: float | None = None) -> dict[str, NodeInfo | CacheError]:
        """Return each member's info on itself, or the error of asking for it, by its address."""
        seconds = self._seconds(timeout)
        peers = await self._known(seconds)
        nodes = [member.name for member in sorted(peers.ring.members)]

        async def ask(node: str) -> NodeInfo | CacheError:
            try:
                return await peers.link(node).send(Describe(), timeout=seconds)
            except CacheError as error:
                return error

        infos = await asyncio.gather(*map(ask, nodes))
        return dict(zip(nodes, infos, strict=True))

    async def reach(self, *, timeout: float | None = None) -> None:
        """Return once any member answers. Raises PeerUnavailable where none does in time."""
        seconds = self._seconds(timeout)
        peers = await self._known(seconds)
        probe = Probe(None, peers.version)

        async def ask(node: str) -> bool:
            try:
                await peers.link(node).send(probe, timeout=seconds)
            except CacheError:
                return False
            return True

        probes = [asyncio.ensure_future(ask(member.name)) for member in peers.ring.members]
        try:
            for first in asyncio.as_completed(probes):
                if await first:
                    return
        finally:
            for left in probes:
                left.cancel()
        raise PeerUnavailable("no node answers")

    async def aclose(self) -> None:
        """End the connections; calls still running end in PeerUnavailable."""
        peers, self._peers = self._peers, None
        if peers is not None:
            await peers.aclose()

    async def _outcome(self, group: str, key: str, timeout: float | None) -> Value | CacheError:
        try:
            return await self.get(group, key, timeout=timeout)
        except CacheError as error:
            return error

    async def _remove(self, what: Removal, key: str, timeout: float | None) -> tuple[str, ...]:
        """Have the first of the key's owners that can be reached remove `what` everywhere."""

        async def ask(link: Link, left: float) -> tuple[str, ...]:
            return await link.send(RemoveEverywhere(what), timeout=left)

        deadline = self._deadline(timeout)
        peers = await self._known(self._seconds(timeout))
        return await self._failover.first(peers, key, ask, deadline)

    async def _ask_others(self, pending: PendingGet, failed: Failed | None) -> Value:
        """Return the answer of the nodes after the one that `failed`, or of any if it is None."""
        group, key, demand = pending.group, pending.key, pending.demand
        if failed is None:
            left = pending.deadline - asyncio.get_running_loop().time()
            return await self.get(group, key, demand=demand, timeout=max(left, 0))

        async def ask(link: Link, left: float) -> Value:
            return await link.get(group, key, forwarded=False, demand=demand, timeout=left)

        return await self._failover.others(failed, key, ask, pending.deadline)

    async def _known(self, seconds: float) -> Peers:
        """Return the members, once they are known."""
        if self._peers is None:
            self._peers = self._new_peers()
            self._peers.follow(self._membership.watch())
        peers = self._peers
        if not peers.are_known:
            try:
                async with asyncio.timeout(seconds if seconds < inf else None):
                    await peers.known()
            except TimeoutError as error:
                raise PeerUnavailable("no member of the cluster is known yet") from error
        return peers

    async def _probe(self, link: Link) -> Probed:
        version = self._peers.version if self._peers else 0
        return await link.send(Probe(None, version), timeout=SILENCE_SECONDS)

    def _deadline(self, timeout: float | None) -> float:
        return asyncio.get_running_loop().time() + self._seconds(timeout)

    def _seconds(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else _seconds(timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _seconds(timeout: float) -> float:
    if not timeout >= 0:  # so written, it refuses NaN too
        raise ValueError(f"a timeout should be 0 seconds or more, not {timeout}")
    return timeout
