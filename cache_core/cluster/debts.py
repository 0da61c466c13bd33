"""The removals that nodes have missed, owed to each until it is told. Knows no network.

It is hinted handoff (DeCandia et al.: Dynamo, Amazon's highly available key-value store, 2007).
"""

from collections.abc import Collection
from typing import Final

from cache_core.messages import Removal

MOST_BYTES: Final = 256 * 1024
"""The most bytes of names owed to one node; past that it is told to flush the groups instead."""

MOST_NODES: Final = 1_000
"""The most nodes that are owed removals; past that the node that was owed first is forgotten."""


class Debts:
    """Holds removals by the node that missed them; `groups` is a live view of all groups' names."""

    def __init__(self, groups: Collection[str]) -> None:
        self._groups = groups
        self._count = 0
        self._owed: dict[str, dict[Removal, int]] = {}
        self._bytes: dict[str, int] = {}

    def owe(self, node: str, item: Removal) -> None:
        """Remember that `node` has missed `item`; one that is owed already gets a new mark.

        What is no group here is owed to nobody.
        """
        if item.group not in self._groups:
            return
        owed = self._owed.setdefault(node, {})
        self._count += 1
        whole = Removal(item.group)
        if item not in owed and whole in owed:
            item = whole
        elif item.key is None and item not in owed:
            self._forget_keys(node, item.group)
        if item not in owed:
            self._bytes[node] = self._bytes.get(node, 0) + _weight(item)
        owed[item] = self._count
        if self._bytes[node] > MOST_BYTES:
            for group in {missed.group for missed in owed if missed.key is not None}:
                self.owe(node, Removal(group))
        while len(self._owed) > MOST_NODES:
            first = next(iter(self._owed))
            del self._owed[first], self._bytes[first]

    def owe_everything(self, node: str) -> None:
        """Remember that `node` may have missed anything: owe it a flush of every group."""
        for group in self._groups:
            self.owe(node, Removal(group))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that have missed a removal."""
        return tuple(self._owed)

    def of(self, node: str) -> tuple[tuple[Removal, ...], int]:
        """Return all that `node` has missed, and the mark to `settle` by once it has been told."""
        return tuple(self._owed.get(node, ())), self._count

    def settle(self, node: str, until: int) -> None:
        """Forget what `node` has missed up to the mark `until`, because it has been told."""
        owed = self._owed.get(node, {})
        for item in [item for item, count in owed.items() if count <= until]:
            del owed[item]
            self._bytes[node] -= _weight(item)
        if node in self._owed and not owed:
            del self._owed[node], self._bytes[node]

    def _forget_keys(self, node: str, group: str) -> None:
        owed = self._owed[node]
        for missed in [missed for missed in owed if missed.group == group and missed.key]:
            del owed[missed]
            self._bytes[node] -= _weight(missed)


def _weight(item: Removal) -> int:
    return len(item.group.encode()) + len((item.key or "").encode()) + 8
