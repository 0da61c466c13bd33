from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Demand(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEMAND_ANY: _ClassVar[Demand]
    DEMAND_CACHED: _ClassVar[Demand]
    DEMAND_NEW: _ClassVar[Demand]

class Answer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWER_UNSPECIFIED: _ClassVar[Answer]
    ANSWER_HIT: _ClassVar[Answer]
    ANSWER_MISS: _ClassVar[Answer]
    ANSWER_COLLAPSED: _ClassVar[Answer]
    ANSWER_STALE: _ClassVar[Answer]
    ANSWER_STALE_ERROR: _ClassVar[Answer]
    ANSWER_RELOAD: _ClassVar[Answer]

class Health(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEALTH_UNSPECIFIED: _ClassVar[Health]
    HEALTH_UP: _ClassVar[Health]
    HEALTH_LEFT_OUT: _ClassVar[Health]
    HEALTH_DRAINING: _ClassVar[Health]
DEMAND_ANY: Demand
DEMAND_CACHED: Demand
DEMAND_NEW: Demand
ANSWER_UNSPECIFIED: Answer
ANSWER_HIT: Answer
ANSWER_MISS: Answer
ANSWER_COLLAPSED: Answer
ANSWER_STALE: Answer
ANSWER_STALE_ERROR: Answer
ANSWER_RELOAD: Answer
HEALTH_UNSPECIFIED: Health
HEALTH_UP: Health
HEALTH_LEFT_OUT: Health
HEALTH_DRAINING: Health

class BatchGetRequest(_message.Message):
    __slots__ = ("forwarded", "ring", "keys", "groups", "group_places", "demands", "traceparents", "tracestates", "peeked")
    FORWARDED_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    GROUP_PLACES_FIELD_NUMBER: _ClassVar[int]
    DEMANDS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENTS_FIELD_NUMBER: _ClassVar[int]
    TRACESTATES_FIELD_NUMBER: _ClassVar[int]
    PEEKED_FIELD_NUMBER: _ClassVar[int]
    forwarded: bool
    ring: int
    keys: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    group_places: _containers.RepeatedScalarFieldContainer[int]
    demands: _containers.RepeatedScalarFieldContainer[Demand]
    traceparents: _containers.RepeatedScalarFieldContainer[str]
    tracestates: _containers.RepeatedScalarFieldContainer[str]
    peeked: bool
    def __init__(self, forwarded: _Optional[bool] = ..., ring: _Optional[int] = ..., keys: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., group_places: _Optional[_Iterable[int]] = ..., demands: _Optional[_Iterable[_Union[Demand, str]]] = ..., traceparents: _Optional[_Iterable[str]] = ..., tracestates: _Optional[_Iterable[str]] = ..., peeked: _Optional[bool] = ...) -> None: ...

class BatchGetResponse(_message.Message):
    __slots__ = ("places", "data", "ttls", "ages", "answers", "stored", "origins", "origin_places", "failures")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TTLS_FIELD_NUMBER: _ClassVar[int]
    AGES_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_PLACES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedScalarFieldContainer[int]
    data: _containers.RepeatedScalarFieldContainer[bytes]
    ttls: _containers.RepeatedScalarFieldContainer[float]
    ages: _containers.RepeatedScalarFieldContainer[float]
    answers: _containers.RepeatedScalarFieldContainer[Answer]
    stored: _containers.RepeatedScalarFieldContainer[bool]
    origins: _containers.RepeatedCompositeFieldContainer[Origin]
    origin_places: _containers.RepeatedScalarFieldContainer[int]
    failures: _containers.RepeatedCompositeFieldContainer[Failure]
    def __init__(self, places: _Optional[_Iterable[int]] = ..., data: _Optional[_Iterable[bytes]] = ..., ttls: _Optional[_Iterable[float]] = ..., ages: _Optional[_Iterable[float]] = ..., answers: _Optional[_Iterable[_Union[Answer, str]]] = ..., stored: _Optional[_Iterable[bool]] = ..., origins: _Optional[_Iterable[_Union[Origin, _Mapping]]] = ..., origin_places: _Optional[_Iterable[int]] = ..., failures: _Optional[_Iterable[_Union[Failure, _Mapping]]] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("node", "terms", "copied")
    NODE_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    COPIED_FIELD_NUMBER: _ClassVar[int]
    node: str
    terms: Terms
    copied: bool
    def __init__(self, node: _Optional[str] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ..., copied: _Optional[bool] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("place", "status")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    place: int
    status: Status
    def __init__(self, place: _Optional[int] = ..., status: _Optional[_Union[Status, _Mapping]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("data", "ttl", "age", "answer", "node", "terms", "stored", "copied")
    DATA_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    COPIED_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    ttl: float
    age: float
    answer: Answer
    node: str
    terms: Terms
    stored: bool
    copied: bool
    def __init__(self, data: _Optional[bytes] = ..., ttl: _Optional[float] = ..., age: _Optional[float] = ..., answer: _Optional[_Union[Answer, str]] = ..., node: _Optional[str] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ..., stored: _Optional[bool] = ..., copied: _Optional[bool] = ...) -> None: ...

class Terms(_message.Message):
    __slots__ = ("stale_while_revalidate", "stale_if_error", "content_type")
    STALE_WHILE_REVALIDATE_FIELD_NUMBER: _ClassVar[int]
    STALE_IF_ERROR_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    stale_while_revalidate: float
    stale_if_error: float
    content_type: str
    def __init__(self, stale_while_revalidate: _Optional[float] = ..., stale_if_error: _Optional[float] = ..., content_type: _Optional[str] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("code", "message", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    details: bytes
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[bytes] = ...) -> None: ...

class Invalidation(_message.Message):
    __slots__ = ("group", "key")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    group: str
    key: str
    def __init__(self, group: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class RemoveRequest(_message.Message):
    __slots__ = ("group", "key")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    group: str
    key: str
    def __init__(self, group: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class RemoveResponse(_message.Message):
    __slots__ = ("unreached",)
    UNREACHED_FIELD_NUMBER: _ClassVar[int]
    unreached: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unreached: _Optional[_Iterable[str]] = ...) -> None: ...

class FlushRequest(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: str
    def __init__(self, group: _Optional[str] = ...) -> None: ...

class FlushResponse(_message.Message):
    __slots__ = ("unreached",)
    UNREACHED_FIELD_NUMBER: _ClassVar[int]
    unreached: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unreached: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Notice(_message.Message):
    __slots__ = ("watcher", "sequence", "items", "silence", "elapsed")
    WATCHER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    watcher: str
    sequence: int
    items: _containers.RepeatedCompositeFieldContainer[Invalidation]
    silence: float
    elapsed: float
    def __init__(self, watcher: _Optional[str] = ..., sequence: _Optional[int] = ..., items: _Optional[_Iterable[_Union[Invalidation, _Mapping]]] = ..., silence: _Optional[float] = ..., elapsed: _Optional[float] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("watcher", "sequence", "leaves")
    WATCHER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    watcher: str
    sequence: int
    leaves: bool
    def __init__(self, watcher: _Optional[str] = ..., sequence: _Optional[int] = ..., leaves: _Optional[bool] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProbeRequest(_message.Message):
    __slots__ = ("node", "ring", "missed")
    NODE_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    node: str
    ring: int
    missed: _containers.RepeatedCompositeFieldContainer[Invalidation]
    def __init__(self, node: _Optional[str] = ..., ring: _Optional[int] = ..., missed: _Optional[_Iterable[_Union[Invalidation, _Mapping]]] = ...) -> None: ...

class ProbeResponse(_message.Message):
    __slots__ = ("draining", "ring", "missed", "behind", "nodes")
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    draining: bool
    ring: int
    missed: _containers.RepeatedCompositeFieldContainer[Invalidation]
    behind: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, draining: _Optional[bool] = ..., ring: _Optional[int] = ..., missed: _Optional[_Iterable[_Union[Invalidation, _Mapping]]] = ..., behind: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class InvalidateRequest(_message.Message):
    __slots__ = ("items", "last_round", "unreached")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAST_ROUND_FIELD_NUMBER: _ClassVar[int]
    UNREACHED_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Invalidation]
    last_round: bool
    unreached: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, items: _Optional[_Iterable[_Union[Invalidation, _Mapping]]] = ..., last_round: _Optional[bool] = ..., unreached: _Optional[_Iterable[str]] = ...) -> None: ...

class InvalidateResponse(_message.Message):
    __slots__ = ("unreached_watchers", "nodes")
    UNREACHED_WATCHERS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    unreached_watchers: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unreached_watchers: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class TakeOverRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class TakeOverResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: int
    def __init__(self, entries: _Optional[int] = ...) -> None: ...

class HandOverRequest(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: str
    def __init__(self, node: _Optional[str] = ...) -> None: ...

class HandOverResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Handed]
    def __init__(self, entries: _Optional[_Iterable[_Union[Handed, _Mapping]]] = ...) -> None: ...

class Handed(_message.Message):
    __slots__ = ("group", "key", "value", "version", "group_ttl")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GROUP_TTL_FIELD_NUMBER: _ClassVar[int]
    group: str
    key: str
    value: Value
    version: str
    group_ttl: float
    def __init__(self, group: _Optional[str] = ..., key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., version: _Optional[str] = ..., group_ttl: _Optional[float] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("node", "draining", "ring", "members", "groups", "figures")
    NODE_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    node: str
    draining: bool
    ring: int
    members: _containers.RepeatedCompositeFieldContainer[MemberInfo]
    groups: _containers.RepeatedCompositeFieldContainer[GroupInfo]
    figures: NodeFigures
    def __init__(self, node: _Optional[str] = ..., draining: _Optional[bool] = ..., ring: _Optional[int] = ..., members: _Optional[_Iterable[_Union[MemberInfo, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[GroupInfo, _Mapping]]] = ..., figures: _Optional[_Union[NodeFigures, _Mapping]] = ...) -> None: ...

class MemberInfo(_message.Message):
    __slots__ = ("node", "weight", "health", "share")
    NODE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    node: str
    weight: int
    health: Health
    share: float
    def __init__(self, node: _Optional[str] = ..., weight: _Optional[int] = ..., health: _Optional[_Union[Health, str]] = ..., share: _Optional[float] = ...) -> None: ...

class NodeFigures(_message.Message):
    __slots__ = ("uptime", "ring_mismatches", "watchers")
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    RING_MISMATCHES_FIELD_NUMBER: _ClassVar[int]
    WATCHERS_FIELD_NUMBER: _ClassVar[int]
    uptime: float
    ring_mismatches: int
    watchers: int
    def __init__(self, uptime: _Optional[float] = ..., ring_mismatches: _Optional[int] = ..., watchers: _Optional[int] = ...) -> None: ...

class GroupInfo(_message.Message):
    __slots__ = ("name", "settings", "figures", "sharing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    SHARING_FIELD_NUMBER: _ClassVar[int]
    name: str
    settings: GroupSettings
    figures: GroupFigures
    sharing: SharingFigures
    def __init__(self, name: _Optional[str] = ..., settings: _Optional[_Union[GroupSettings, _Mapping]] = ..., figures: _Optional[_Union[GroupFigures, _Mapping]] = ..., sharing: _Optional[_Union[SharingFigures, _Mapping]] = ...) -> None: ...

class GroupSettings(_message.Message):
    __slots__ = ("capacity", "policy", "max_value", "ttl", "jitter", "stale_while_revalidate", "stale_if_error", "negative_ttl", "refresh_ahead", "load_timeout", "load_concurrency", "load_queue", "hot_share", "hot_ttl", "content_type", "client_reload")
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    STALE_WHILE_REVALIDATE_FIELD_NUMBER: _ClassVar[int]
    STALE_IF_ERROR_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_TTL_FIELD_NUMBER: _ClassVar[int]
    REFRESH_AHEAD_FIELD_NUMBER: _ClassVar[int]
    LOAD_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LOAD_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    LOAD_QUEUE_FIELD_NUMBER: _ClassVar[int]
    HOT_SHARE_FIELD_NUMBER: _ClassVar[int]
    HOT_TTL_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_RELOAD_FIELD_NUMBER: _ClassVar[int]
    capacity: int
    policy: str
    max_value: int
    ttl: float
    jitter: float
    stale_while_revalidate: float
    stale_if_error: float
    negative_ttl: float
    refresh_ahead: float
    load_timeout: float
    load_concurrency: int
    load_queue: int
    hot_share: float
    hot_ttl: float
    content_type: str
    client_reload: bool
    def __init__(self, capacity: _Optional[int] = ..., policy: _Optional[str] = ..., max_value: _Optional[int] = ..., ttl: _Optional[float] = ..., jitter: _Optional[float] = ..., stale_while_revalidate: _Optional[float] = ..., stale_if_error: _Optional[float] = ..., negative_ttl: _Optional[float] = ..., refresh_ahead: _Optional[float] = ..., load_timeout: _Optional[float] = ..., load_concurrency: _Optional[int] = ..., load_queue: _Optional[int] = ..., hot_share: _Optional[float] = ..., hot_ttl: _Optional[float] = ..., content_type: _Optional[str] = ..., client_reload: _Optional[bool] = ...) -> None: ...

class GroupFigures(_message.Message):
    __slots__ = ("hits", "stale_hits", "stale_errors", "negative_hits", "misses", "loads", "load_errors", "overloads", "cache", "negatives", "tier")
    HITS_FIELD_NUMBER: _ClassVar[int]
    STALE_HITS_FIELD_NUMBER: _ClassVar[int]
    STALE_ERRORS_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_HITS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    LOAD_ERRORS_FIELD_NUMBER: _ClassVar[int]
    OVERLOADS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVES_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    hits: int
    stale_hits: int
    stale_errors: int
    negative_hits: int
    misses: int
    loads: int
    load_errors: int
    overloads: int
    cache: CacheFigures
    negatives: CacheFigures
    tier: TierFigures
    def __init__(self, hits: _Optional[int] = ..., stale_hits: _Optional[int] = ..., stale_errors: _Optional[int] = ..., negative_hits: _Optional[int] = ..., misses: _Optional[int] = ..., loads: _Optional[int] = ..., load_errors: _Optional[int] = ..., overloads: _Optional[int] = ..., cache: _Optional[_Union[CacheFigures, _Mapping]] = ..., negatives: _Optional[_Union[CacheFigures, _Mapping]] = ..., tier: _Optional[_Union[TierFigures, _Mapping]] = ...) -> None: ...

class TierFigures(_message.Message):
    __slots__ = ("hits", "misses", "errors", "owed")
    HITS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    hits: int
    misses: int
    errors: int
    owed: int
    def __init__(self, hits: _Optional[int] = ..., misses: _Optional[int] = ..., errors: _Optional[int] = ..., owed: _Optional[int] = ...) -> None: ...

class SharingFigures(_message.Message):
    __slots__ = ("hot_hits", "fetches", "fetch_errors", "forwarded", "hot")
    HOT_HITS_FIELD_NUMBER: _ClassVar[int]
    FETCHES_FIELD_NUMBER: _ClassVar[int]
    FETCH_ERRORS_FIELD_NUMBER: _ClassVar[int]
    FORWARDED_FIELD_NUMBER: _ClassVar[int]
    HOT_FIELD_NUMBER: _ClassVar[int]
    hot_hits: int
    fetches: int
    fetch_errors: int
    forwarded: int
    hot: CacheFigures
    def __init__(self, hot_hits: _Optional[int] = ..., fetches: _Optional[int] = ..., fetch_errors: _Optional[int] = ..., forwarded: _Optional[int] = ..., hot: _Optional[_Union[CacheFigures, _Mapping]] = ...) -> None: ...

class CacheFigures(_message.Message):
    __slots__ = ("entries", "bytes", "capacity", "removals", "removed_bytes")
    class RemovalsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class RemovedBytesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    REMOVALS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    entries: int
    bytes: int
    capacity: int
    removals: _containers.ScalarMap[str, int]
    removed_bytes: _containers.ScalarMap[str, int]
    def __init__(self, entries: _Optional[int] = ..., bytes: _Optional[int] = ..., capacity: _Optional[int] = ..., removals: _Optional[_Mapping[str, int]] = ..., removed_bytes: _Optional[_Mapping[str, int]] = ...) -> None: ...
