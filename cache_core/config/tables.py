"""The tables of a config file: `[node]`, `[gateway]` and `[groups.NAME]`."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    PrivateAttr,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cache_core.address import DEFAULT_ADDRESS, Address
from cache_core.cluster.member import MAX_WEIGHT
from cache_core.config.errors import Problem
from cache_core.config.fields import (
    KIB,
    At,
    ConnectionRoom,
    HeaderBytes,
    HostNames,
    Listen,
    Origins,
    Pause,
    PeersUrl,
    TierUrl,
    TotalRoom,
    Wait,
)
from cache_core.config.layers import Layers
from cache_core.config.lines import Keys
from cache_core.connection_limit import DEFAULT_MOST
from cache_core.rpc.engine import CONNECTIONS_OF_TOTAL, DEFAULT_BOUNDS, GrpcEngine
from cache_core.settings import MAX_GROUP_BYTES, MIB, Count, GroupSettings, Room, Switch, Table
from cache_core.sources import Source

MAX_WORKERS: Final = 256
MAX_CONNECTIONS: Final = 1_000_000
DEFAULT_GATEWAY: Final = "127.0.0.1:8000"
AT_ODDS: Final = "at_odds"
"""The type of a pydantic error of several keys, which are in its context as `keys`."""


class LogLevel(StrEnum):
    """What goes to the log, on standard error."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


class NodeTable(Table):
    """`[node]`: a node's address, its cluster and how it ends."""

    listen: Listen = Field(
        default=Address.parse(DEFAULT_ADDRESS), description="where a node serves gRPC"
    )
    advertise: At | None = Field(
        default=None,
        description="how the others reach it, and its name among them; needed where `listen` is "
        "a wildcard such as 0.0.0.0. Default: as `listen`",
    )
    peers: PeersUrl | None = Field(
        default=None,
        description="the cluster to share the keys out with, all of which are given the same: "
        "static://a:8080,b:8080 (a list), dns://nodes:8080 (every address of a name) or "
        "etcd://etcd:2379/gaocache (a registry). Without it the node owns every key",
    )
    weight: Count = Field(
        default=1,
        ge=1,
        le=MAX_WEIGHT,
        description="its part of the keys: of weight 2, twice that of 1",
    )
    drain: Pause = Field(
        default=2.0, description="how long it goes on serving once it has left its cluster"
    )
    grace: Pause = Field(
        default=10.0, description="how long running calls may take to finish when told to stop"
    )
    grpc_engine: GrpcEngine = Field(
        default=GrpcEngine.AUTO,
        description="what carries its calls: `native`, which is our own and takes many times as "
        "many; `grpcio`, gRPC's own library; or `auto`, which is `native`",
    )
    connection_memory: ConnectionRoom = Field(
        default=ByteSize(DEFAULT_BOUNDS.connection),
        description="how much a client's connection may hold of requests that wait and of answers "
        "that are not read, before it has to wait or is refused",
    )
    total_connection_memory: ConnectionRoom = Field(
        default=ByteSize(DEFAULT_BOUNDS.total),
        description="how much all those connections may hold together; past it those are cut off "
        "that hold most and have said nothing for longest. Both bound the `native` engine only",
    )
    max_connections: Count = Field(
        default=DEFAULT_MOST,
        ge=16,
        le=MAX_CONNECTIONS,
        description="how many of those connections there may be, as far as the process is allowed "
        "descriptors; past it the longest idle one is closed for a new one. The `native` engine's",
    )
    log_level: LogLevel = Field(
        default=LogLevel.warning,
        description="what goes to the log: `error`, `warning`, `info`, or `debug`, which shows "
        "every request, look-up and cache hit",
    )

    @model_validator(mode="after")
    def _check_memory(self) -> Self:
        least = ByteSize(CONNECTIONS_OF_TOTAL * self.connection_memory)
        if self.total_connection_memory < least:
            words = (
                f"total_connection_memory should be at least {CONNECTIONS_OF_TOTAL} times "
                f"connection_memory, {least.human_readable()}"
            )
            _refuse(words, "total_connection_memory", "connection_memory")
        return self


class GatewayTable(Table):
    """`[gateway]`: where HTTP is served, which nodes are asked, what requests may ask for."""

    listen: Listen = Field(
        default=Address.parse(DEFAULT_GATEWAY), description="where the gateway serves HTTP"
    )
    node: Listen | None = Field(default=None, description="ask this node")
    peers: PeersUrl | None = Field(
        default=None,
        description="ask the cluster of these nodes, for each key its owner; as `[node]` has "
        "it. Default: the `peers` of `[node]`, else its address",
    )
    timeout: Wait = Field(
        default=2.0, description="how long an answer may take where the request does not say"
    )
    max_timeout: Wait = Field(
        default=30.0, description="how long it may take whatever the request says"
    )
    receive_timeout: Wait = Field(default=10.0, description="how long a request may take to arrive")
    keep_alive: Wait = Field(
        default=75.0,
        description="how long a connection may be idle after an answer: longer than a proxy in "
        "front keeps its own, or else that one sends requests into a connection that closes",
    )
    send_timeout: Wait = Field(
        default=30.0,
        description="how long a client may take nothing of an answer, before it is cut off",
    )
    max_connections: Count = Field(
        default=DEFAULT_MOST,
        ge=16,
        le=MAX_CONNECTIONS,
        description="how many connections a worker has at once, as far as it is allowed "
        "descriptors; past it the longest idle one is closed for a new one, which is refused with "
        "503 where none is idle",
    )
    total_connection_memory: TotalRoom = Field(
        default=ByteSize(256 * MIB),
        description="how much a worker may hold for all connections: half of it of answers that "
        "are not read, where those are cut off that leave most for longest, and half of bodies, "
        "batches and large answers that are made, where what would be more is refused with 503",
    )
    header_bytes: HeaderBytes = Field(
        default=ByteSize(32 * KIB), description="the most that a request's headers may have"
    )
    near_cache: Room = Field(
        default=ByteSize(32 * MIB),
        description="how much it may hold of what nodes answered, to answer it by itself; a "
        "removal ends such copies before it returns. 0 holds none",
    )
    cors_origins: Origins = Field(
        default=(),
        description="origins, like https://app.example.com, whose pages may read the answers in a "
        "browser; `*` is every one; the option may be repeated",
    )
    cors_removal: Switch = Field(
        default=False, description="whether those pages may also remove keys and flush groups"
    )
    hosts: HostNames = Field(
        default=(),
        description="names, like cache.example.com, that a request's `Host` may have, besides "
        "addresses and `localhost`; others are answered 421. Default: every name, or none where "
        "`listen` is of the loopback, so that no page can reach it by a name of its own. `*` is "
        "every one; the option may be repeated",
    )
    workers: Count = Field(
        default=1,
        ge=1,
        le=MAX_WORKERS,
        description="how many processes serve it, which share out the connections that come in",
    )
    fast_lane: Switch = Field(
        default=True,
        description="whether plain GETs of a key go a short way past the web framework, with the "
        "same answers; at `log_level` `debug` none does",
    )
    drain: Pause = Field(
        default=0.0,
        description="how long it goes on serving once told to stop, while /readyz says 503: as "
        "long as load balancers take to notice",
    )
    grace: Pause = Field(
        default=10.0, description="how long running calls may take to finish when told to stop"
    )
    log_level: LogLevel = Field(
        default=LogLevel.warning,
        description="what goes to the log: `error`, `warning`, `info`, or `debug`, which shows "
        "every request",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.node is not None and self.peers is not None:
            _refuse("node and peers exclude each other, give one", "node", "peers")
        if self.timeout > self.max_timeout:
            words = f"max_timeout should be at least timeout, {self.timeout:g}"
            _refuse(words, "max_timeout", "timeout")
        return self


def _refuse(words: str, *keys: str) -> None:
    raise PydanticCustomError(AT_ODDS, "{words}", {"words": words, "keys": keys})


def _group_name(name: str) -> str:
    if not 0 < len(name.encode()) <= MAX_GROUP_BYTES:
        raise ValueError(f"a group's name should have 1 to {MAX_GROUP_BYTES} bytes")
    return name


class GroupTable(GroupSettings):
    """`[groups.NAME]`: the group's settings, its source, and its tier if it has one."""

    source: Source
    tier: TierUrl | None = Field(
        default=None,
        description="a Valkey or Redis where nodes look before the source, like "
        '"valkey://cache.internal:6379"',
    )


class Settings(BaseSettings):
    """The whole configuration. Made by `load`; by itself it reads no environment."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    node: NodeTable = NodeTable()
    gateway: GatewayTable = GatewayTable()
    groups: dict[Annotated[str, AfterValidator(_group_name)], GroupTable] = {}

    trees: ClassVar[Sequence[Mapping[str, Any]]] = ()
    _layers: Layers = PrivateAttr(default_factory=Layers)

    def problem(self, keys: Keys, words: str) -> Problem:
        """Return the problem of the value at `keys`, in `words`, with the place it came from."""
        return self._layers.problem(keys, words)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take settings from the arguments, then from `trees`, and from no other source."""
        return (init_settings, *(TreeSource(settings_cls, tree) for tree in cls.trees))


class TreeSource(PydanticBaseSettingsSource):
    """Gives pydantic-settings the settings in `tree` as they are."""

    def __init__(self, settings_cls: type[BaseSettings], tree: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self._tree = tree

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - pydantic-settings' own signature
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """Return what the tree has for the field."""
        return self._tree.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the whole tree, with unknown keys as well, so that they are refused."""
        return dict(self._tree)
