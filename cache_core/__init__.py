"""GaoCache's core: groups of keys, nodes that serve them, and the client that asks them."""

from cache_core.client import Client
from cache_core.errors import (
    CacheError,
    DeadlineExceeded,
    InvalidKey,
    KeyRequired,
    NotCached,
    NotFound,
    Overloaded,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnexpectedStatus,
    UnknownGroup,
    ValueTooLarge,
)
from cache_core.group import Group
from cache_core.node import Node
from cache_core.node_groups import Reloaded
from cache_core.retriever import BatchRetriever, Refresher, Retriever
from cache_core.rpc.engine import EngineFailed, EngineMissing
from cache_core.settings import GroupSettings
from cache_core.stats import GroupStats
from cache_core.value import Answer, Demand, Terms, Value

__all__ = [
    "Answer",
    "BatchRetriever",
    "CacheError",
    "Client",
    "DeadlineExceeded",
    "Demand",
    "EngineFailed",
    "EngineMissing",
    "Group",
    "GroupSettings",
    "GroupStats",
    "InvalidKey",
    "KeyRequired",
    "Node",
    "NotCached",
    "NotFound",
    "Overloaded",
    "PeerUnavailable",
    "Refresher",
    "Reloaded",
    "Retriever",
    "RetrieverFailed",
    "SourceUnavailable",
    "Terms",
    "UnexpectedStatus",
    "UnknownGroup",
    "Value",
    "ValueTooLarge",
]
