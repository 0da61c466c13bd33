"""Waiting for a proxy's time to pass, which no test's clock moves."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from proxies.origin import TTL, Origin

BETWEEN_POLLS = 0.05
WITHIN = 10


async def until(
    ask: Callable[[], Awaitable[httpx.Response]], holds: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """Ask again and again until an answer is as it should be."""
    async with asyncio.timeout(WITHIN):
        while not holds(answer := await ask()):  # noqa: ASYNC110 - a proxy's time sets no event
            await asyncio.sleep(BETWEEN_POLLS)
    return answer


async def put_with_one_second_left(
    target: str, direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    """Let the proxy keep what `target` answers for a second, and the node until its clock ticks."""
    await direct.get(target)
    origin.clock.tick(TTL - 1)
    response = await proxied.get(target)
    assert response.status_code == 200
    origin.asked.clear()
