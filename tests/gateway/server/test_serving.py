"""How the gateway stops, and what it says to what is no HTTP request."""

import asyncio
import contextlib
import logging
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fakes import FakeSource, settled
from starlette.types import Receive, Scope, Send

from cache_core import Node
from gateway.http.limits import Limits
from gateway.server.serving import serve

KEY = "/groups/scores/keys/Tom"


class Gateway:
    """A gateway in front of `node` that a test stops by itself."""

    def __init__(
        self, node: str, *, grace: float, drain: float = 0, access_log: bool = False
    ) -> None:
        self._stop = asyncio.Event()
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._serving = asyncio.create_task(
            serve(
                self._sock,
                node,
                self._stop.wait(),
                limits=Limits(timeout=10),
                drain=drain,
                grace=grace,
                access_log=access_log,
                hosts=["x"],
            )
        )

    def begin_to_stop(self) -> None:
        self._stop.set()

    async def stop(self) -> None:
        self._stop.set()
        await self._serving
        self._sock.close()

    async def raw(self, request: bytes) -> httpx.Response:
        """Send `request` as it is; return the answer once the connection has ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        status, *lines = head.decode().split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        return httpx.Response(int(status.split()[1]), headers=headers, content=body)


@pytest.fixture
async def gateway(node: Node) -> AsyncIterator[Gateway]:
    serving = Gateway(node.address, grace=5)
    yield serving
    await serving.stop()


@pytest.fixture
async def hurried(node: Node) -> AsyncIterator[Gateway]:
    """A gateway that gives running requests no time when it stops."""
    serving = Gateway(node.address, grace=0)
    yield serving
    await serving.stop()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
        yield client


async def test_a_request_that_runs_finishes_within_the_grace(
    gateway: Gateway, http: httpx.AsyncClient, source: FakeSource
) -> None:
    source.gate.clear()
    getting = asyncio.create_task(http.get(gateway.url + KEY))
    await source.asked.wait()
    gateway.begin_to_stop()
    await refused(gateway.port)
    source.gate.set()
    response = await getting
    assert response.status_code == 200
    assert response.headers["connection"] == "close"


async def refused(port: int) -> None:
    """Return once nobody listens at `port`."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        writer.close()


async def test_a_request_that_outlives_the_grace_is_answered_503_and_nothing_is_logged(
    hurried: Gateway,
    http: httpx.AsyncClient,
    source: FakeSource,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source.gate.clear()
    getting = asyncio.create_task(http.get(hurried.url + KEY))
    await source.asked.wait()
    await hurried.stop()
    response = await getting
    source.gate.set()
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    problem = response.json()
    assert problem["reason"] == "node-unavailable"
    assert problem["detail"] == "the gateway is draining"
    assert problem["instance"] == KEY
    assert problem["retryable"] is True
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_while_it_drains_it_serves_and_says_that_it_is_not_ready(
    node: Node, http: httpx.AsyncClient
) -> None:
    draining = Gateway(node.address, grace=5, drain=0.5)
    assert (await http.get(draining.url + "/readyz")).status_code == 200
    draining.begin_to_stop()
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10) as newcomer:
        response = await newcomer.get(draining.url + "/readyz")
        assert (response.status_code, response.json()["detail"]) == (
            503,
            "the gateway is draining",
        )
        assert (await newcomer.get(draining.url + KEY)).status_code == 200
    await draining.stop()


async def test_an_open_connection_on_which_nothing_runs_holds_nothing_up(
    gateway: Gateway, http: httpx.AsyncClient
) -> None:
    assert (await http.get(gateway.url + KEY)).status_code == 200
    async with asyncio.timeout(4):  # less than the grace
        await gateway.stop()


async def test_a_client_that_reads_nothing_does_not_outlive_the_grace(
    hurried: Gateway, source: FakeSource
) -> None:
    source.values["large"] = b"x" * (4 * 1024 * 1024 - 64)
    # A small buffer, for the system would else take the whole answer.
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", hurried.port))
        sock.sendall(b"GET /groups/scores/keys/large?alt=media HTTP/1.1\r\nHost: x\r\n\r\n")
        await source.asked.wait()
        await asyncio.to_thread(sock.recv, 1)
        await hurried.stop()
        assert len(await asyncio.to_thread(all_of, sock)) < len(source.values["large"])


def all_of(sock: socket.socket) -> bytes:
    """Return what still comes until the connection has ended."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


async def test_the_access_log_has_plain_gets_too(
    node: Node, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gaocache.access")
    logging_it = Gateway(node.address, grace=5, access_log=True)
    assert (await http.get(logging_it.url + KEY)).status_code == 200
    await logging_it.stop()
    assert [f"GET {KEY} " in record.getMessage() for record in caplog.records] == [True]


LINE = b" HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "reason", "instance"),
    [
        (b"GET /groups/scores/keys/\xff" + LINE, 400, "malformed-request", None),
        (b"FLY /groups" + LINE, 400, "malformed-request", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed-request", None),
        (b"GET /groups HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed-request", "/groups"),
        (b"GET /" + b"k" * 200_000 + LINE, 414, "target-too-long", "/" + "k" * 63 + "…"),
    ],
    ids=["bytes", "method", "tls", "header", "long"],
)
async def test_what_is_no_http_request_is_a_problem_and_nothing_is_logged(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    request_bytes: bytes,
    status: int,
    reason: str,
    instance: str | None,
) -> None:
    response = await gateway.raw(request_bytes)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["connection"] == "close"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "date" in response.headers
    assert response.json()["reason"] == reason
    if instance is not None:
        assert response.json()["instance"] == instance
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_an_upgrade_that_is_not_to_be_had_is_ignored_and_nothing_is_logged(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"GET {KEY} HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n"
    response = await gateway.raw(head.encode())
    assert response.status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_is_left_to_do_once_a_request_is_answered_is_done_before_the_stop_ends(
    node: Node, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        await refused(serving.port)
        for _ in range(10):
            await settled()
        done.append("work")

    monkeypatch.setattr("gateway.server.serving.create_app", lambda *_, **__: app)
    serving = Gateway(node.address, grace=5)
    assert (await http.get(serving.url + "/groups")).status_code == 200
    await serving.stop()
    assert done == ["work"]


async def test_a_worker_is_ready_once_the_others_can_ask_for_its_figures(node: Node) -> None:
    stop, found = asyncio.Event(), list[bool]()
    with (
        tempfile.TemporaryDirectory(prefix="gao-") as folder,  # short enough for a socket's path
        socket.create_server(("127.0.0.1", 0)) as sock,
    ):
        worker = Path(folder) / "1"

        def ready() -> None:
            found.append(worker.is_socket())
            stop.set()

        await serve(
            sock,
            node.address,
            stop.wait(),
            ready=ready,
            limits=Limits(timeout=10),
            drain=0,
            grace=0,
            access_log=False,
            worker=worker,
            workers=2,
        )
    assert found == [True]


async def test_a_gateway_that_is_to_stop_already_does_not_say_that_it_serves(node: Node) -> None:
    stop, said = asyncio.Event(), list[bool]()
    stop.set()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await serve(
            sock,
            node.address,
            stop.wait(),
            ready=lambda: said.append(True),
            limits=Limits(timeout=10),
            drain=0,
            grace=0,
            access_log=False,
        )
    assert said == []
