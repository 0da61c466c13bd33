"""Gets of one key by a process with so many callers; prints how many, and what they cost.

python grpc_gets.py ours|grpcio PORT GROUP KEY BYTES CALLERS SECONDS
"""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import TypeAlias

import grpc.aio
import uvloop

from cache_core.address import Address
from cache_core.cluster.peer import Ask
from cache_core.errors import CacheError
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.pb.gaocache_pb2_grpc import GaocacheStub
from cache_core.rpc.channel import Channel
from cache_core.trace import NO_TRACE
from cache_core.value import Outcome, Value
from gateway.cli.processes.importing import YOUNG_OBJECTS

KIND, (PORT, SIZE, CALLERS) = sys.argv[1], map(int, (sys.argv[2], *sys.argv[5:7]))
GROUP, KEY, SECONDS = sys.argv[3], sys.argv[4], float(sys.argv[7])

Get: TypeAlias = Callable[[], Awaitable[bytes]]


async def by_ours() -> dict[str, object]:
    channel, loop = Channel(Address("127.0.0.1", PORT)), asyncio.get_running_loop()

    async def get() -> bytes:
        answered: asyncio.Future[Outcome] = loop.create_future()
        ask = Ask(
            GROUP,
            KEY,
            forwarded=False,
            deadline=loop.time() + 1,
            trace=NO_TRACE,
            then=answered.set_result,
        )

        def done(error: CacheError | None) -> None:
            if error is not None:
                ask.settle(error)

        channel.ask([ask], ring=0, timeout=1, done=done)
        outcome = await answered
        if not isinstance(outcome, Value):
            raise outcome
        return outcome.data

    try:
        return await measured(get)
    finally:
        await channel.aclose()


async def by_grpcio() -> dict[str, object]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{PORT}") as channel:
        stub = GaocacheStub(channel)

        async def get() -> bytes:
            response: GetResponse = await stub.Get(GetRequest(group=GROUP, key=KEY), timeout=1)
            return response.value

        return await measured(get)


async def measured(get: Get) -> dict[str, object]:
    if len(await get()) != SIZE:
        raise ValueError("the answer is not the value")
    taken: list[float] = []
    until = perf_counter() + SECONDS

    async def call() -> None:
        while (began := perf_counter()) < until:
            await get()
            taken.append(perf_counter() - began)

    began, used = perf_counter(), process_time()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return {
        "seconds": perf_counter() - began,
        "cpu": process_time() - used,
        "micros": sorted(round(each * 1e6) for each in taken),
    }


gc.set_threshold(YOUNG_OBJECTS)  # as a gateway has it
print(json.dumps(uvloop.run(by_ours() if KIND == "ours" else by_grpcio())))
