"""The limits of a request."""

from dataclasses import dataclass

from cache_core.connection_limit import DEFAULT_MOST
from cache_core.errors import MAX_KEY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a request may take: sizes in bytes, times in seconds.

    The sizes of group and key are those once decoded. A request's body is large enough for
    `batch_keys` of the longest keys, as JSON escapes them. `batch_bytes` is the limit of a batch's
    answer, which is put together in memory. `timeout` is for a request that names none, and
    `max_timeout` is the most that any request has. `receive_timeout` is how long a request may take
    to arrive, `send_timeout` how long a client may take nothing of an answer, and `keep_alive` how
    long a connection may be idle after one. There may be `max_connections` at once; together they
    may hold `total_connection_memory` bytes of answers that are not sent, and as many of bodies and
    of batches that are being read.
    """

    group_bytes: int = 128
    key_bytes: int = MAX_KEY_BYTES
    target_bytes: int = 8 * 1024
    header_bytes: int = 32 * 1024
    header_count: int = 100
    body_bytes: int = 4 * 1024 * 1024
    batch_keys: int = 1000
    batch_bytes: int = 64 * 1024 * 1024
    timeout: float = 2.0
    max_timeout: float = 30.0
    receive_timeout: float = 10.0
    keep_alive: float = 75.0
    send_timeout: float = 30.0
    max_connections: int = DEFAULT_MOST
    answer_memory: int = 128 * 1024 * 1024
    request_memory: int = 128 * 1024 * 1024
