"""Which entry leaves when a group is over its budget: one policy a file."""

from typing import Final

from cache_core.memory.eviction.lfu import LFU
from cache_core.memory.eviction.lru import LRU
from cache_core.memory.eviction.policy import Policy, PolicyFactory
from cache_core.memory.eviction.s3fifo import S3FIFO

POLICIES: Final[dict[str, PolicyFactory]] = {"s3fifo": S3FIFO, "lru": LRU, "lfu": LFU}
"""The policies by the names that settings have for them."""

__all__ = ["POLICIES", "Policy", "PolicyFactory"]
