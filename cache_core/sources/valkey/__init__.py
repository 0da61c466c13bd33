"""A group whose values are strings, or fields of hashes, in Valkey or Redis.

The connections are those of `cache_core.valkey`, which the second tier shares.
"""
