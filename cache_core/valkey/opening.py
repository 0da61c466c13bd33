"""Opening the store at a URL, where the library that speaks to it is installed."""

from typing import TYPE_CHECKING

from cache_core.loading.retriever import InvalidSource
from cache_core.valkey.url import parse_url

if TYPE_CHECKING:
    from cache_core.valkey.store import Store


def open_store(url: str, *, timeout: float, connections: int) -> "Store":
    """Return the Store at `url`; nothing is connected yet.

    A call takes `timeout` seconds at the most, and `connections` calls run at a time. Raises
    InvalidSource for a malformed URL, or where the extra `valkey` is not installed.
    """
    parsed = parse_url(url)
    try:
        from cache_core.valkey.store import Store  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "redis":
            raise
        words = "it needs the extra `valkey`: pip install 'gaocache[valkey]'"
        raise InvalidSource("url", words) from error
    return Store(parsed, timeout=timeout, connections=connections)
