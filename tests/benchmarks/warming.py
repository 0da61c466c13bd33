"""Before anything is measured, every cache holds every key, and every contender has answered."""

import asyncio
import base64
import json
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Final

import redis
from keyset import GROUP, keys, target
from sized_values import sized_value
from stage import Server

from cache_core import Client
from cache_core.errors import CacheError

AT_A_TIME: Final = {100: 1_000, 10 * 1024: 200, 1024 * 1024: 4}
"""How many keys of a size are asked for together."""


class BadAnswer(Exception):
    """A contender answered something else than the value."""


def warm_nodes(nodes: str, names: Sequence[str], *, group: str = GROUP, at_a_time: int) -> None:
    """Have the nodes load the keys `names`. Raises BadAnswer."""

    async def ask() -> None:
        async with Client(nodes, timeout=30) as client:
            for some in batches(names, at_a_time):
                outcomes = await client.get_many(group, some)
                for key, outcome in outcomes.items():
                    if isinstance(outcome, CacheError):
                        raise BadAnswer(f"{key}: {outcome}") from outcome

    asyncio.run(ask())


def warm_redis(server: Server, sizes: Iterable[int]) -> None:
    """Store the keys of these sizes in Redis."""
    with redis.Redis(port=server.port) as store:
        for size in sizes:
            for some in batches(keys(size), AT_A_TIME[size]):
                store.mset({f"{GROUP}:{key}": sized_value(key) or b"" for key in some})


def check(server: Server, key: str, *, constant: bool) -> None:
    """Check that a contender answers `key` with its value. Raises BadAnswer."""
    url = f"http://127.0.0.1:{server.port}{target(key)}"
    with urllib.request.urlopen(url, timeout=30) as reply:
        body = reply.read()
    expected = sized_value(key) or b""
    if constant:
        if len(body) < len(expected):
            raise BadAnswer(f"{url} has {len(body)} bytes, not {len(expected)}")
        return
    value = json.loads(body)["value"]
    if expected not in (value.encode(), base64.b64decode(value, validate=False)):
        raise BadAnswer(f"{url} is {body[:200]!r}")


def batches(names: Sequence[str], count: int) -> Iterable[Sequence[str]]:
    """Yield `names` in parts of `count`."""
    return (names[start : start + count] for start in range(0, len(names), count))
