"""The errors of redis-py and of stores, translated into ours by one table."""

import ssl
from typing import Final

from redis import exceptions as redis

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.valkey.command import StoreFull, StoreRefuses

_GONE: Final = "Valkey can't be reached"

_TABLE: Final[tuple[tuple[type[Exception], type[RetrieverFailed], str], ...]] = (
    (
        redis.AuthenticationError,
        RetrieverFailed,
        "Valkey wants another user or password than the URL has",
    ),
    (
        redis.AuthenticationWrongNumberOfArgsError,
        RetrieverFailed,
        "Valkey wants another user or password than the URL has",
    ),
    (redis.NoPermissionError, RetrieverFailed, "Valkey doesn't let its user do what is needed"),
    (redis.OutOfMemoryError, SourceUnavailable, "Valkey has no room, and evicts nothing for it"),
    (redis.BusyLoadingError, SourceUnavailable, "Valkey is still loading its data"),
    (redis.ReadOnlyError, SourceUnavailable, "this Valkey is a replica, it can't be written to"),
    (redis.MaxConnectionsError, SourceUnavailable, "Valkey's connections are all in use"),
    (redis.AskError, SourceUnavailable, "the Cluster of Valkey is moving the key"),
    (redis.TryAgainError, SourceUnavailable, "the Cluster of Valkey is moving the key"),
    (redis.ClusterError, SourceUnavailable, "the Cluster of Valkey is down"),
    (redis.SlotNotCoveredError, SourceUnavailable, "nobody in the Cluster of Valkey has the key"),
    (redis.RedisClusterException, SourceUnavailable, _GONE),
    (redis.ConnectionError, SourceUnavailable, _GONE),
    (redis.TimeoutError, SourceUnavailable, _GONE),
    (OSError, SourceUnavailable, _GONE),
)

CAUGHT: Final = (redis.RedisError, redis.RedisClusterException, OSError)
"""The classes of all errors that redis-py raises by itself."""

IS_LOST: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ClusterDownError,
    redis.SlotNotCoveredError,
    OSError,
)
"""The errors against which another look at the Cluster's servers may help."""

IS_FINAL: Final = (redis.AuthenticationError, redis.BusyLoadingError, redis.MaxConnectionsError)
"""The kinds of these errors against which it does not help."""


def translated(error: Exception) -> RetrieverFailed:
    """Return our error for `error`; its words repeat nothing of `error`'s."""
    if isinstance(error, redis.RedisClusterException) and isinstance(error.__cause__, CAUGHT):
        error = error.__cause__  # why its last server didn't answer
    if isinstance(error.__context__, redis.NoPermissionError):
        error = error.__context__  # to CLUSTER SLOTS: redis-py takes it for "no Cluster"
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return RetrieverFailed(
            "the certificate of Valkey's TLS is not trusted: name its CA's file in SSL_CERT_FILE"
        )
    for kind, meant, words in _TABLE:
        if isinstance(error, kind):
            failure = meant(words)
            failure.__cause__ = _cause(error)
            return failure
    if str(error).startswith("WRONGTYPE"):
        return RetrieverFailed("the key holds another type of value in Valkey")
    return RetrieverFailed("Valkey refused the command")


def _cause(error: Exception) -> Exception:
    match error:
        case redis.OutOfMemoryError():
            return StoreFull()
        case redis.NoPermissionError():
            return StoreRefuses()
        case _:
            return error
