"""A link to one server of Valkey or Redis."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError

from cache_core.address import Address
from cache_core.valkey.command import Command
from cache_core.valkey.url import StoreUrl


class Single:
    """A StoreLink to the server at `host`. It asks once more where a connection is lost."""

    def __init__(self, url: StoreUrl, host: Address) -> None:
        self._redis = Redis(
            host=host.host,
            port=host.port,
            db=url.database,
            username=url.user,
            password=url.password,
            ssl=url.tls,
            socket_timeout=None,  # its caller has one, for all that an answer needs
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 1),
            protocol=2,
            driver_info=None,
        )

    async def ask(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Ask in one round trip; as StoreLink."""
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command.words)
        answers = await pipeline.execute(raise_on_error=False)
        if any(isinstance(answer, ReadOnlyError) for answer in answers):
            # It was the master once: its name may be another server's by now.
            await self._redis.connection_pool.disconnect(inuse_connections=False)
        return answers

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
