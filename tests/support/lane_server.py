"""The fast lane on a real port, over a cluster that a test steers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fakes import FakeClock
from raw_http import Connection
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from cache_core.connection_limit import ConnectionLimit
from cache_core.connection_memory import ConnectionMemory
from cache_core.settings import MIB
from cache_core.trace import current_trace
from cache_core.value import Then, Value
from gateway.http.budget import Budget
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.lane.lane import Lane
from gateway.lane.request import Reader
from gateway.middleware.answered import Answered
from gateway.middleware.defaults import with_defaults
from gateway.middleware.running import Running
from gateway.server.connection.http_connection import HttpConnection as Served
from gateway.server.connection.http_service import HttpService


def get(key: str, *, query: str = "", fields: str = "") -> bytes:
    """Return a plain GET."""
    line = f"GET /groups/scores/keys/{key}{query} HTTP/1.1"
    return f"{line}\r\nHost: x\r\n{fields}\r\n".encode()


async def value(connection: Connection) -> object:
    """Return the value in the next answer, or that it is the inner app's."""
    reply = await connection.reply()
    assert reply is not None
    assert reply.status == 200
    return json.loads(reply.body)["value"] if reply.body != b"inner" else "inner"


class FakePendingGet:
    """A get that the test ends by `then`, or whose asker gives up."""

    def __init__(self, group: str, key: str, deadline: float, then: Then) -> None:
        self.key = group, key
        self.deadline = deadline
        self.trace = current_trace.get()
        self.then = then
        self.given_up = asyncio.Event()

    def give_up(self) -> None:
        self.given_up.set()


class FakeCluster:
    """Hands out FakePendingGets as they come; answers at once what is among `at_once`."""

    def __init__(self) -> None:
        self.at_once: dict[str, Value] = {}
        self.asked: asyncio.Queue[FakePendingGet] = asyncio.Queue()

    def ask(self, group: str, key: str, *, deadline: float, then: Then) -> FakePendingGet:
        pending = FakePendingGet(group, key, deadline, then)
        if key in self.at_once:
            then(self.at_once[key])
        else:
            self.asked.put_nowait(pending)
        return pending


class FakeHeld:
    """A near copy that counts the hits on it, until it is `dropped`."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self.dropped = False
        self.touched = 0

    def touch(self) -> bool:
        self.touched += not self.dropped
        return not self.dropped


class FakeNear:
    """Near copies by their keys."""

    def __init__(self) -> None:
        self.copies: dict[str, FakeHeld] = {}
        self.peeked: list[str] = []

    def put(self, key: str, value: Value) -> FakeHeld:
        """Hold a value; who holds the one before it is not told."""
        held = self.copies[key] = FakeHeld(value)
        return held

    def peek(self, group: str, key: str) -> Value | None:
        self.peeked.append(key)
        held = self.hold(group, key)
        return None if held is None else held.value

    def hold(self, _: str, key: str) -> FakeHeld | None:
        held = self.copies.get(key)
        return None if held is None or held.dropped else held


class Inner:
    """An app that says `inner` to whatever reaches it, and remembers how often that was.

    It begins its answers at once, reads no bodies unless it `reads`, and can be held at a gate.
    """

    reads = False

    def __init__(self) -> None:
        self.asked = asyncio.Queue[str]()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.put_nowait(scope["path"])
        while self.reads and (await receive()).get("more_body", False):
            pass
        headers = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.gate.wait()
        await send({"type": "http.response.body", "body": b"inner"})


class LaneServer:
    """A server of connections with a lane, and what a uvicorn Server would do to it."""

    def __init__(
        self,
        *,
        keep_alive: float = 60,
        receive_timeout: float = 10,
        send_timeout: float = 30,
        answer_memory: int = 128 * MIB,
        request_memory: int = 128 * MIB,
        with_near: bool = False,
    ) -> None:
        self.cluster = FakeCluster()
        self.near = FakeNear()
        self.inner = Inner()
        self.clock = FakeClock()
        self.running = Running(self.inner)
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"now")]
        self.url = ""
        self.answered = Answered()
        limits = Limits(
            timeout=10,
            receive_timeout=receive_timeout,
            keep_alive=keep_alive,
            send_timeout=send_timeout,
            answer_memory=answer_memory,
            request_memory=request_memory,
        )
        lane = Lane(
            self.cluster,
            self.near if with_near else None,
            self.running,
            Reader(limits, Hosts()),
            with_defaults,
            answered=self.answered,
            clock=self.clock,
        )
        self.memory = ConnectionMemory(answer_memory)
        self._service = HttpService(
            limits=limits,
            limit=ConnectionLimit(limits.max_connections, print),
            budget=Budget(limits.request_memory),
            memory=self.memory,
            lost=asyncio.Event(),
            answered=self.answered,
            lane=lane,
        )
        self._config = uvicorn.Config(self.running, ws="none", lifespan="off", log_config=None)

    def protocol(self) -> Served:
        return Served(self._config, self.state, {}, service=self._service)

    def shut_down(self) -> None:
        for connection in list(self.state.connections):
            connection.shutdown()


@asynccontextmanager
async def lane_server(
    *,
    with_near: bool = False,
    keep_alive: float = 60,
    send_timeout: float = 30,
    answer_memory: int = 128 * MIB,
    request_memory: int = 128 * MIB,
) -> AsyncIterator[LaneServer]:
    """Serve fast lanes on a free port. Tests of time-outs do better with a VirtualConnection."""
    serving = LaneServer(
        with_near=with_near,
        keep_alive=keep_alive,
        send_timeout=send_timeout,
        answer_memory=answer_memory,
        request_memory=request_memory,
    )
    loop = asyncio.get_running_loop()
    async with await loop.create_server(serving.protocol, "127.0.0.1", 0) as server:
        serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield serving
        finally:
            for connection in list(serving.state.connections):
                connection.transport.abort()
