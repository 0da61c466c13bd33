"""Gateway and node in this process: what a load leaves in the event loop."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from keyset import GROUP
from mixture import Mixture
from sized_values import Sized

from cache_core import Group, GroupSettings, Node
from gateway.http.limits import Limits
from gateway.server.serving import serve

TALKERS: Final = 16
IDLE_SECONDS: Final = 15.0
"""How long what was begun may take to end: longer than a probe, a batch and a kept connection."""

LOOK_PAUSE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Held:
    """How many tasks run, and how many futures, done or not, are somewhere in memory."""

    tasks: int
    futures: int


async def held_before_and_after(
    seconds: float, capacity: str, mixture: Mixture
) -> tuple[Held, Held]:
    """Return what an idle gateway and node hold before and after a load of `seconds`."""
    group = Group(GROUP, Sized().retrieve, GroupSettings(capacity=capacity))
    async with Node("127.0.0.1:0", [group]) as node, _gateway(node.address) as port:
        await _talk(port, mixture, 1.0)  # what is made once is there from now on
        before = await _settled(None)
        await _talk(port, mixture, seconds)
        return before, await _settled(before)


async def _talk(port: int, mixture: Mixture, seconds: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    await asyncio.gather(*(mixture.talk(port, stop) for _ in range(TALKERS)))


async def _settled(wanted: Held | None) -> Held:
    """Return what is held once it is no more than `wanted`, or stays as it is."""
    loop = asyncio.get_running_loop()
    until = loop.time() + (IDLE_SECONDS if wanted else 2.0)
    while True:
        await asyncio.sleep(LOOK_PAUSE)
        gc.collect()
        futures = sum(isinstance(found, asyncio.Future) for found in gc.get_objects())
        held = Held(len(asyncio.all_tasks()), futures)
        if wanted and held.tasks <= wanted.tasks and held.futures <= wanted.futures:
            return held
        if loop.time() >= until:
            return held


@contextlib.asynccontextmanager
async def _gateway(node_address: str) -> AsyncIterator[int]:
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        serving = asyncio.create_task(
            serve(
                sock,
                node_address,
                stop.wait(),
                limits=Limits(timeout=10),
                drain=0,
                grace=5,
                access_log=False,
            )
        )
        try:
            yield sock.getsockname()[1]
        finally:
            stop.set()
            await serving
