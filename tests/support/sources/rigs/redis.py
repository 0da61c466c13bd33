"""Redis as a source, single and Cluster: a string a key."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from sources.redis_servers import PASSWORD, Redis, redis_server, redis_trio

from cache_core.sources import ValkeySource


class RedisRig:
    """The keys `thing:KEY` in `place`."""

    secret = PASSWORD

    def __init__(self, place: Redis) -> None:
        self._place = place
        self.source = ValkeySource(url=place.url, key="thing:{key}")

    async def put(self, key: str, data: bytes) -> None:
        name = f"thing:{key}"
        await asyncio.to_thread(self._place.owner(name).admin.set, name, data)

    async def break_off(self) -> None:
        self._place.kill()

    async def mend(self) -> None:
        for server in self._place.servers:
            server.thaw()
        await asyncio.to_thread(self._place.start)

    async def hang(self) -> None:
        for server in self._place.servers:
            server.freeze()

    def wrong_password(self) -> ValkeySource:
        url = self.source.url.replace(PASSWORD, "wrong-horse")
        return self.source.model_copy(update={"url": url})


@contextlib.asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[RedisRig]:
    with redis_server(folder) as server:
        yield RedisRig(server)


@contextlib.asynccontextmanager
async def redis_cluster(folder: Path) -> AsyncIterator[RedisRig]:
    with redis_trio(folder) as trio:
        yield RedisRig(trio)
