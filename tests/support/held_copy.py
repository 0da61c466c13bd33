"""A value as a model of a group holds it."""

from dataclasses import dataclass, replace

from cache_core.memory.cache import LABEL_OVERHEAD, OVERHEAD


@dataclass(frozen=True)
class Copy:
    """A value held: fresh until `soft`, of use until `hard`, with its source's own words."""

    data: bytes
    loaded: float
    soft: float
    hard: float
    content_type: str
    version: str

    def shortened(self, ttl: float, grace: float) -> "Copy":
        """The copy once it may be fresh for no more than `ttl` after it was loaded."""
        soft = self.loaded + ttl
        if soft >= self.soft:
            return self
        return replace(self, soft=soft, hard=min(self.hard, soft + grace))

    def weight(self, key: str) -> int:
        """The bytes that it is charged."""
        words = self.content_type + self.version
        label = LABEL_OVERHEAD + len(words) if words else 0
        return len(key.encode()) + len(self.data) + OVERHEAD + label
