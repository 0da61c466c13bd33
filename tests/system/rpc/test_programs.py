"""A node asked by programs that know HTTP/2, or gRPC, and nothing of ours."""

import asyncio
import re
import shutil
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cluster.fleet import free_addresses
from proxies.nginx import AROUND
from proxies.proxy import running

from cache_core import Client, Node
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.messages import prefixed

pytestmark = pytest.mark.service

GRPC = ("-H", "te: trailers", "-H", "content-type: application/grpc")


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """A file with the body of a Get."""
    file = tmp_path / "request"
    file.write_bytes(prefixed(GetRequest(group="scores", key="Tom").SerializeToString()))
    return file


@pytest.fixture
def url(node: Node) -> str:
    return f"http://{node.address}{GET}"


async def run(package: str, program: str, *arguments: str | Path) -> bytes:
    """Return what the program writes; skip the test where its Debian package is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian's {package})")
    process = await asyncio.create_subprocess_exec(
        path, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return stdout


async def test_curl_gets_a_value(url: str, request_file: Path) -> None:
    given = ("-sS", "--http2-prior-knowledge", "--data-binary", f"@{request_file}")
    answer = await run("curl", "curl", *given, *GRPC, url)
    assert answer == b"\0\0\0\0\x05\x0a\x03630"


async def test_nghttp_sees_the_header_the_message_and_the_trailers(
    url: str, request_file: Path
) -> None:
    said = await run("nghttp2-client", "nghttp", "-v", "-n", "-d", request_file, *GRPC, url)
    assert b":status: 200" in said
    assert b"grpc-status: 0" in said
    assert b"error" not in said.lower().replace(b"error_code=no_error(0x00)", b"")


@pytest.mark.parametrize("window", [1, 8, 16, 30])
@pytest.mark.parametrize("streams", [1, 100, 1_000])
async def test_h2load_has_every_call_answered(
    url: str, request_file: Path, window: int, streams: int
) -> None:
    # One that grants each byte by itself is borne for so many calls at once, and not for more.
    total = 2_000 if window > 1 else 100
    said = await run(
        "nghttp2-client",
        "h2load",
        *(f"-n{total}", "-c2", f"-m{streams}", f"-w{window}", f"-W{window}"),
        *("-d", request_file, *GRPC, url),
    )
    counts = re.search(rb"requests: .* (\d+) succeeded, (\d+) failed", said)
    assert counts is not None
    assert (int(counts[1]), int(counts[2])) == (total, 0)


SERVER = """\
server {{
    listen {address} http2;
    location / {{ grpc_pass grpc://{node}; }}
}}
"""


async def test_nginx_passes_calls_on_and_their_errors(node: Node, tmp_path: Path) -> None:
    (address,) = free_addresses(1)
    file = tmp_path / "nginx.conf"
    given = SERVER.format(address=address, node=node.address)
    file.write_text(AROUND.format(folder=tmp_path, given=given))
    command = ("nginx", "-p", tmp_path, "-c", file, "-e", "stderr")
    async with running(command, "nginx", b"start worker process "):
        async with grpc.aio.insecure_channel(address) as channel:
            get = channel.unary_unary(GET, bytes, bytes)
            request = GetRequest(group="scores", key="Tom").SerializeToString()
            answers = await asyncio.gather(*(get(request, timeout=10) for _ in range(200)))
            assert set(answers) == {b"\x0a\x03630"}
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await get(GetRequest(group="scores", key="no").SerializeToString(), timeout=10)
            assert caught.value.details() == "no not exist"
        async with Client(address, timeout=10) as client:
            assert (await client.get("scores", "Tom")).data == b"630"
