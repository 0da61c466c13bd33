"""Which entry leaves when a group is over its budget: one policy a file."""

from cache_core.eviction.policy import Policy

__all__ = ["Policy"]
