"""`gaocache gateway --workers`: processes that share a port, in front of a node of the test's."""

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import FakeSource
from processes import Run, Serving, Start, children_of, listening_at

from cache_core import Node

pytestmark = pytest.mark.slow  # three processes or more a test

IMPORTS_ARE_TOLD = {"PYTHONPROFILEIMPORTTIME": "1"}
TOM = "/groups/scores/keys/Tom"
SERVES = r"gateway (http://\S+) asks node \S+ with 2 workers\n"


@pytest.fixture
def sockets(environment: dict[str, str]) -> Iterator[Path]:
    """The folder in which the workers have theirs; pytest's own are too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="gao-") as name:
        environment["TMPDIR"] = name
        yield Path(name)


@pytest.fixture
async def gateway(start: Start, node: Node, sockets: Path) -> Serving:
    """Two workers, not yet waited for."""
    assert sockets.is_dir()
    return await start("gateway", "--listen", "127.0.0.1:0", "--node", node.address, "--workers=2")


@contextlib.asynccontextmanager
async def newcomer(url: str, *, timeout: float = 20) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a connection of its own."""
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, verify=False, timeout=timeout
    ) as http:
        yield http


async def get(url: str, path: str = TOM) -> httpx.Response:
    async with newcomer(url) as http:
        return await http.get(path)


async def figures(url: str) -> dict[str, Any]:
    found: dict[str, Any] = (await get(url, "/cluster")).json()["gateway"]
    return found


async def gone(pid: int) -> None:
    """Return once the process has ended, whoever's child it is."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, ended.set)
        await ended.wait()
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_all_answer_and_any_of_them_tells_the_sums(gateway: Serving, sockets: Path) -> None:
    url = await gateway.until(SERVES)
    for _ in range(40):
        assert (await get(url)).json()["value"] == "630"
    both = await figures(url)
    assert (both["workers"], both["no_answer"]) == (2, [])
    assert both["requests"] == {"2xx": 40, "3xx": 0, "4xx": 0, "5xx": 0}
    (folder,) = sockets.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    first, _ = children_of(gateway.process.pid)
    os.kill(first, signal.SIGSTOP)
    one = None
    while one is None:  # until a connection comes to the other
        with contextlib.suppress(httpx.ReadTimeout):
            async with newcomer(url, timeout=2) as http:
                one = (await http.get("/cluster")).json()["gateway"]
    os.kill(first, signal.SIGCONT)
    assert len(one["no_answer"]) == 1
    assert 0 < one["requests"]["2xx"] < 40


async def test_one_that_keeps_ending_leaves_connections_to_the_other(gateway: Serving) -> None:
    url = await gateway.until(SERVES)
    _, survivor = children_of(gateway.process.pid)
    for pause in ("", " in 1 s"):
        (doomed,) = set(children_of(gateway.process.pid)) - {survivor}
        os.kill(doomed, signal.SIGKILL)
        await gateway.until(rf"and it is started again{pause}\n")
        if pause:
            assert len(listening_at(url)) == 1
            for _ in range(8):
                assert (await get(url, "/livez")).status_code == 200
        await gateway.until(r"serves again\n(?s:.*)serves again\n" if pause else r"serves again\n")
        assert len(listening_at(url)) == 2


async def test_one_that_is_killed_is_replaced_and_requests_go_on(gateway: Serving) -> None:
    url = await gateway.until(SERVES)
    before = set(children_of(gateway.process.pid))
    killed, survivor = children_of(gateway.process.pid)
    os.kill(killed, signal.SIGKILL)
    for _ in range(16):  # none is refused or reset: who waits for the killed one has its successor
        assert (await get(url)).status_code == 200
    name = await gateway.until(
        r"(worker \d) was ended by SIGKILL; the others go on, and it is started again\n"
    )
    await gateway.until(rf"{name} serves again\n")
    after = set(children_of(gateway.process.pid))
    assert after & before == {survivor}
    assert len(after) == 2
    assert (await figures(url))["no_answer"] == []
    ended = await gateway.stop()
    assert (ended.status, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_leaves_neither_process_nor_folder(
    gateway: Serving, sockets: Path, number: signal.Signals
) -> None:
    url = await gateway.until(SERVES)
    workers = children_of(gateway.process.pid)
    ended = await gateway.stop(number)
    assert (ended.status, ended.stderr) == (0, "")
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert list(sockets.iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        await get(url)


async def test_a_signal_while_they_start_ends_them(start: Start, sockets: Path) -> None:
    gateway = await start("gateway", "--listen=127.0.0.1:0", "--workers=2", **IMPORTS_ARE_TOLD)
    assert gateway.process.stderr is not None
    while b" fastapi.exceptions" not in await gateway.process.stderr.readline():
        assert not gateway.process.stderr.at_eof()
    workers = children_of(gateway.process.pid)
    assert (await gateway.stop()).status == 0
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert list(sockets.iterdir()) == []


async def test_the_workers_of_a_killed_gateway_stop_by_themselves_and_leave_nothing(
    gateway: Serving, sockets: Path
) -> None:
    url = await gateway.until(SERVES)
    workers = children_of(gateway.process.pid)
    await gateway.stop(signal.SIGKILL)
    for worker in workers:
        await gone(worker)
    assert list(sockets.iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        await get(url)


async def test_a_request_that_runs_is_answered_before_its_worker_ends(
    gateway: Serving, source: FakeSource
) -> None:
    url = await gateway.until(SERVES)
    source.gate.clear()
    getting = asyncio.create_task(get(url))
    await source.asked.wait()
    gateway.process.send_signal(signal.SIGTERM)
    while True:  # until nobody listens
        try:
            await get(url, "/livez")
        except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError):
            break
    source.gate.set()
    assert (await getting).json()["value"] == "630"
    assert (await gateway.end()).status == 0


@pytest.mark.usefixtures("sockets")
async def test_while_they_drain_they_serve_and_say_that_they_are_not_ready(
    start: Start, node: Node
) -> None:
    options = ("--node", node.address, "--workers", "2", "--drain", "3")
    gateway = await start("gateway", "--listen", "127.0.0.1:0", *options)
    url = await gateway.until(SERVES)
    assert (await get(url, "/readyz")).status_code == 200
    gateway.process.send_signal(signal.SIGTERM)
    while (await get(url, "/readyz")).status_code != 503:
        assert gateway.process.returncode is None
    assert (await get(url)).status_code == 200
    assert (await gateway.end()).status == 0


@pytest.mark.usefixtures("sockets")
async def test_a_supervised_one_says_its_address_alone_and_ends_with_its_input(
    start: Start, node: Node
) -> None:
    options = ("--node", node.address, "--workers", "2", "--supervised")
    gateway = await start(
        "gateway", "--listen", "127.0.0.1:0", *options, stdin=asyncio.subprocess.PIPE
    )
    address = await gateway.until(r"^(127\.0\.0\.1:\d+)\n")
    assert (await get(f"http://{address}")).status_code == 200
    os.kill(children_of(gateway.process.pid)[0], signal.SIGKILL)
    assert gateway.process.stderr is not None
    said = await gateway.process.stderr.readline()
    assert b"was ended by SIGKILL; the others go on" in said
    assert gateway.process.stdin is not None
    gateway.process.stdin.close()
    ended = await gateway.end()
    assert (ended.status, ended.stdout) == (0, f"{address}\n".encode())


async def test_a_folder_for_temporary_files_that_is_too_deep_for_sockets_is_a_clear_error(
    start: Start, tmp_path: Path
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    gateway = await start("gateway", "--listen=127.0.0.1:0", "--workers=2", TMPDIR=str(deep))
    ended = await gateway.end()
    assert ended.status == 1
    words = "is too long a path for the workers' sockets; set TMPDIR to a shorter one"
    assert re.fullmatch(rf"gaocache: {deep}/gaocache-\w+ {words}\n", ended.stderr)
    assert list(deep.iterdir()) == []


async def test_up_has_nodes_and_workers_as_told(run: Run, start: Start, sockets: Path) -> None:
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    up = await start("up", *free_ports, "--nodes", "2", "--workers", "2")
    url = await up.until(r"gateway  (http://\S+)  2 workers\n")
    await up.until(r"/docs\n")
    for _ in range(4):
        assert (await get(url)).json()["value"] == "630"
    answer = (await get(url, "/cluster")).json()
    assert len(answer["nodes"]) == 2
    assert (answer["gateway"]["workers"], answer["gateway"]["requests"]["2xx"]) == (2, 4)
    got = await run("get", "scores", "Tom", "--gateway", url)
    assert got.stdout == b"630"
    ended = await up.stop(signal.SIGINT)
    assert (ended.status, ended.stderr) == (0, "")
    assert list(sockets.iterdir()) == []
