"""The engine on pygrpc-native, whose HTTP/2 and gRPC run outside the interpreter's lock."""

import asyncio
import contextlib
from typing import Final

from pygrpc_native import NativeGrpcFront

from cache_core.address import Address
from cache_core.rpc.engine import EngineFailed, OnFailure, probe
from cache_core.rpc.native.calls import METHODS, NativeCalls
from cache_core.rpc.native.events import Events
from cache_core.rpc.native.fallback import Fallback
from cache_core.rpc.service import Service
from cache_core.rpc.wire.limits import FLUSH_SECONDS

UNLIMITED: Final = 2**31 - 1
"""How many calls run at a time on one connection: as many as grpcio takes."""

FLUSH_PAUSE: Final = 0.002


class NativeServer:
    """An Engine on pygrpc-native: a gRPC server at `address`.

    `failed` is told where the server ends by itself. Calls that it can't serve go to a grpcio
    server behind it.
    """

    def __init__(self, address: Address, failed: OnFailure) -> None:
        self._address = address
        self._failed = failed
        self._fallback = Fallback()
        self._front: NativeGrpcFront | None = None
        self._service: Service | None = None
        self._calls: NativeCalls | None = None
        self._events: Events | None = None
        self._stops = False

    def bind(self) -> Address:
        """Take the address, and return it with the port in use. Raises OSError."""
        probe(self._address)
        self._front = front = NativeGrpcFront(
            str(self._address),
            METHODS,
            io_threads=1,  # more of them would only contend for Python's answers
            call_details=True,
            delay_stream_headers=True,  # as grpcio does
            metrics=True,  # they tell which answers have left, see `_flush`
            max_concurrent_streams=UNLIMITED,
        )
        return self._address._replace(port=front.bound_port)

    async def start(self, service: Service) -> None:
        """Begin to serve `service`, after `bind`. Raises EngineFailed."""
        front = self._bound
        self._service = service
        front.set_fallback(await self._fallback.start())
        self._calls = NativeCalls(service, front)
        self._events = Events(front, self._calls.take, self._end)
        front.start()
        self._events.start()

    async def stop(self, grace: float) -> None:
        """Refuse new calls, let running ones finish for `grace` seconds, then end them.

        A call that comes meanwhile, or that outlives the grace, ends in PeerUnavailable. The
        library itself ends suddenly, with UNAVAILABLE for each answer that it has not sent by
        then. So answers already given get a moment to leave.
        """
        if self._service is not None:
            self._service.drain()
        await self._fallback.drain()
        if self._calls is not None:
            await self._calls.finish(grace)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._fallback.stop())
            if self._calls is not None:
                tasks.create_task(self._flush(self._calls))
        if self._calls is not None:
            self._calls.cancel()
        self._stops = True
        await asyncio.to_thread(self._bound.close)
        if self._events is not None:
            await self._events.join()

    @property
    def _bound(self) -> NativeGrpcFront:
        if self._front is None:
            raise RuntimeError("a server is bound before all else")
        return self._front

    async def _flush(self, calls: NativeCalls) -> None:
        """Return once all answers have left, or after FLUSH_SECONDS."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.sleep(FLUSH_PAUSE)
                while self._open_calls() > calls.held_back:  # noqa: ASYNC110 - the library gives figures, no event
                    await asyncio.sleep(FLUSH_PAUSE)

    def _open_calls(self) -> int:
        """Return how many calls have not ended, those with a half-sent answer included."""
        figures = self._bound.metrics() or {"methods": {}}
        count = 0
        for method in figures["methods"].values():
            count += method["started"] - sum(each["count"] for each in method["status"].values())
        return count

    def _end(self, error: Exception | None) -> None:
        if not self._stops:
            why = "its queue was closed" if error is None else f"{type(error).__name__}: {error}"
            self._failed(EngineFailed(f"the native gRPC engine has ended by itself: {why}"))
