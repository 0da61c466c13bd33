"""Our client at a server of files that knows HTTP/2 and no gRPC: nghttpd."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from cluster.fleet import free_addresses

from cache_core import Client
from cache_core.address import Address
from cache_core.errors import UnexpectedStatus
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.transport.answers import Answers
from cache_core.rpc.transport.way import Way

pytestmark = pytest.mark.service

Start: TypeAlias = Callable[..., Awaitable[str]]

NOT_GRPC = "the answer is not gRPC's, or has no status"


@asynccontextmanager
async def nghttpd(folder: Path, *options: str) -> AsyncIterator[str]:
    """Serve the files in `folder`; skips the test where nghttpd is not installed."""
    path = shutil.which("nghttpd") or shutil.which("nghttpd", path="/usr/sbin")
    if path is None:
        pytest.skip("nghttpd is not installed (Debian's nghttp2-server)")
    (address,) = free_addresses(1)
    host, _, port = address.rpartition(":")
    process = await asyncio.create_subprocess_exec(
        *(path, "--no-tls", "-a", host, "-d", str(folder), *options, port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(10):
            while not await _listens(host, int(port)):
                assert process.returncode is None
                await asyncio.sleep(0.01)  # it tells of it in a buffer that it keeps
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Serve at the path of Get what is told; return the address."""
    async with AsyncExitStack() as serving:

        async def begin(content: bytes | None, *options: str) -> str:
            if content is not None:
                file = tmp_path / GET.removeprefix("/")
                file.parent.mkdir()
                file.write_bytes(content)
            return await serving.enter_async_context(nghttpd(tmp_path, *options))

        yield begin


@pytest.mark.parametrize("options", [(), ("-w1", "-W1"), ("--trailer", "grpc-status: 0"), ("-b9",)])
@pytest.mark.parametrize("content", [b"", prefixed(b"\x0a\x03630"), bytes(1 << 20)])
async def test_a_file_is_no_answer(start: Start, content: bytes, options: tuple[str, ...]) -> None:
    async with Client(await start(content, *options), timeout=10) as client:
        asked = (client.get("scores", f"key-{number}") for number in range(150))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, UnexpectedStatus)
        assert (outcome.status, outcome.message) == ("UNKNOWN", NOT_GRPC)


async def test_a_file_that_is_missing_is_a_method_that_is_missing(start: Start) -> None:
    async with Client(await start(None), timeout=10) as client:
        with pytest.raises(UnexpectedStatus, match="the HTTP status is 404") as caught:
            await client.get("scores", "Tom")
    assert caught.value.status == "UNIMPLEMENTED"


async def test_a_stream_of_answers_ends_as_well(start: Start) -> None:
    address = await start(bytes(1 << 20))
    way = Way(Address.parse(address))
    answers = Answers(way, request_block(GET, address, ()), b"")
    with pytest.raises(Ended, match=NOT_GRPC) as caught:
        async with asyncio.timeout(10):
            await anext(answers)
    assert caught.value.code is StatusCode.UNKNOWN
    await way.aclose()
