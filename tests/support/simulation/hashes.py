"""A hash of keys that is the same in every process, as CPython's own is not.

Eviction, the sketch of popular keys and the fences of near copies go by keys' hashes.
"""

from functools import cache
from hashlib import blake2b
from typing import Final

from cache_core.client import near
from cache_core.memory.eviction import s3fifo
from cache_core.node import popularity

HASHING: Final = (near, s3fifo, popularity)
"""The modules that call `hash` for a key."""


@cache
def steady_hash(key: str) -> int:
    """Return 63 bits of `key`'s hash."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> 1
