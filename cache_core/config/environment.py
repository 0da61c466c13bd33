"""The settings that the environment's `GAOCACHE_…` variables make."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cache_core.config.layers import NamedLayer
from cache_core.config.lines import Keys
from cache_core.config.tables import GatewayTable, NodeTable

PREFIX: Final = "GAOCACHE_"
GROUPS: Final = f"{PREFIX}GROUPS__"
SEPARATOR: Final = "__"
SHORT: Final[Mapping[str, tuple[Keys, ...]]] = {
    "GAOCACHE_PEERS": (("node", "peers"), ("gateway", "peers")),
    "GAOCACHE_TIMEOUT": (("gateway", "timeout"),),
    "GAOCACHE_MAX_TIMEOUT": (("gateway", "max_timeout"),),
    "GAOCACHE_CORS_ORIGINS": (("gateway", "cors_origins"),),
}
"""The variables without a table's name; a variable with the name counts more."""


def variable(table: str, key: str) -> str:
    """Return the variable for a key of `[node]` or `[gateway]`: `GAOCACHE_NODE_WEIGHT`."""
    return f"{PREFIX}{table}_{key}".upper()


def read_environment(environ: Mapping[str, str], groups: Iterable[str]) -> NamedLayer:
    """Return the settings in `environ` as a layer; an empty variable sets nothing.

    `GAOCACHE_GROUPS__SCORES__TTL` is the `ttl` of the one of `groups` that is called `scores`, in
    whatever case; if none is, of a group with that name in lower case. GAOCACHE_PEERS leaves the
    gateway's `peers` alone where a variable sets its `node`.
    """
    tree: dict[str, Any] = {}
    names: dict[Keys, str] = {}
    for name, keys in _given(environ, sorted(groups, key=len, reverse=True)):
        if value := environ.get(name):
            _put(tree, keys, value)
            names[keys] = name
    if ("gateway", "node") in names and names.get(("gateway", "peers")) == "GAOCACHE_PEERS":
        del names["gateway", "peers"], tree["gateway"]["peers"]
    return NamedLayer(tree, names)


def _given(environ: Mapping[str, str], groups: Iterable[str]) -> Iterator[tuple[str, Keys]]:
    """Yield each variable that may be in `environ` and its keys, the stronger ones last."""
    for name, places in SHORT.items():
        yield from ((name, keys) for keys in places)
    for title, table in (("node", NodeTable), ("gateway", GatewayTable)):
        yield from ((variable(title, key), (title, key)) for key in table.model_fields)
    for name in sorted(environ):
        if name.startswith(GROUPS) and (keys := _in_groups(name.removeprefix(GROUPS), groups)):
            yield name, ("groups", *keys)


def _in_groups(rest: str, groups: Iterable[str]) -> Keys:
    """Return the keys below `groups` that `rest` of a variable's name means, () if incomplete."""
    lowered = rest.lower()
    named = (group for group in groups if lowered.startswith(f"{group.lower()}{SEPARATOR}"))
    group = next(named, lowered.partition(SEPARATOR)[0])
    below = lowered[len(group) + len(SEPARATOR) :]
    return (group, *below.split(SEPARATOR)) if below else ()


def _put(tree: dict[str, Any], keys: Keys, value: str) -> None:
    """Put `value` at `keys`; a table's other keys stay, a value in the way is replaced."""
    *above, last = keys
    for key in above:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        tree = inner
    tree[last] = value
