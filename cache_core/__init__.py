"""GaoCache's core: groups of keys, nodes that serve them, and the client that asks them.

Names whose modules are large, or import gRPC or pydantic, are imported when they are first asked
for. So a program that only asks nodes loads no server, and a program that only catches errors loads
neither gRPC nor pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING

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
from cache_core.value import Answer, Demand, Terms, Value

if TYPE_CHECKING:
    from cache_core.client.client import Client
    from cache_core.group.group import Group
    from cache_core.loading.retriever import BatchRetriever, Refresher, Retriever
    from cache_core.node.groups import Reloaded
    from cache_core.node.node import Node
    from cache_core.settings import GroupSettings
    from cache_core.stats import GroupStats
else:  # hidden from type checkers: for them, a module with `__getattr__` has every name
    _MODULES = {
        "BatchRetriever": "loading.retriever",
        "Client": "client.client",
        "Group": "group.group",
        "GroupSettings": "settings",
        "GroupStats": "stats",
        "Node": "node.node",
        "Refresher": "loading.retriever",
        "Reloaded": "node.groups",
        "Retriever": "loading.retriever",
    }

    def __getattr__(name: str) -> object:
        """Import `name` when it is first asked for, and return it (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "Answer",
    "BatchRetriever",
    "CacheError",
    "Client",
    "DeadlineExceeded",
    "Demand",
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
