"""What the options of both ends promise about connections, tried with other ends than ours."""

import asyncio

import grpc
import grpc.aio
import pytest

from cache_core import Client, Node
from cache_core.rpc.grpcio.server import OPTIONS

pytestmark = pytest.mark.usefixtures("engine")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
SETTINGS_ACK = b"\0\0\0\x04\x01\0\0\0\0"
PING = b"\0\0\x08\x06\0\0\0\0\0"
PING_ACK = b"\0\0\x08\x06\x01\0\0\0\0"


async def test_no_other_server_can_share_a_nodes_port(node: Node) -> None:
    with pytest.raises(RuntimeError, match="Failed to bind"):
        grpc.aio.server().add_insecure_port(node.address)


async def test_a_node_is_asked_directly_whatever_proxy_the_environment_names(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("grpc_proxy", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with Client(node.address, timeout=10) as client:
        assert (await client.get("scores", "Tom")).data == b"630"


async def test_a_client_may_ping_while_it_makes_no_calls() -> None:
    options = {**dict(OPTIONS), "grpc.http2.min_ping_interval_without_data_ms": 0}
    server = grpc.aio.server(options=list(options.items()))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(PREFACE + SETTINGS + SETTINGS_ACK)
    for number in range(10):
        payload = bytes([number] * 8)
        writer.write(PING + payload)
        await reader.readuntil(PING_ACK + payload)
    writer.close()
    await writer.wait_closed()
    await server.stop(None)
