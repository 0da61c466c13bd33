"""The calls of a node as plain functions from message to message. Knows no gRPC."""

from collections.abc import Awaitable, Mapping

from cache_core.errors import KeyRequired, PeerUnavailable, UnknownGroup, ValueTooLarge
from cache_core.events import Hook, Received
from cache_core.group import Group
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.limits import MAX_VALUE_BYTES


class Service:
    """What a node answers, whichever engine carries it."""

    def __init__(self, groups: Mapping[str, Group], hook: Hook | None = None) -> None:
        self._groups = groups
        self._hook = hook
        self._draining = False

    def drain(self) -> None:
        """Refuse every call from now on with PeerUnavailable."""
        self._draining = True

    def get(self, request: GetRequest) -> GetResponse | Awaitable[GetResponse]:
        """Return the key's value: at once where the group holds it, else what to await.

        Raises KeyRequired, UnknownGroup, PeerUnavailable, ValueTooLarge, and what Group.get
        raises.
        """
        if self._hook is not None:
            self._hook(Received(request.group, request.key))
        if self._draining:
            raise PeerUnavailable("the node is draining")
        if not request.key:
            raise KeyRequired
        group = self._groups.get(request.group)
        if group is None:
            raise UnknownGroup
        value = group.peek(request.key)
        if value is not None:
            return _response(value.data)
        return _load(group, request.key)


async def _load(group: Group, key: str) -> GetResponse:
    return _response((await group.get(key)).data)


def _response(data: bytes) -> GetResponse:
    if len(data) > MAX_VALUE_BYTES:
        raise ValueTooLarge(f"the value has {len(data)} bytes, the limit is {MAX_VALUE_BYTES}")
    return GetResponse(value=data)
