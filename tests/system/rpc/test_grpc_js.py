"""A node asked by grpc-js, gRPC's client for Node.js."""

import asyncio
import json
import os
import shutil
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeSource
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2

from cache_core import Node
from cache_core.pb import gaocache_pb2

NODE_JS = shutil.which("node")
IN_PACKAGES = shutil.which("proto-loader-gen-types")
"""A program of one of the two packages, beside which the other lies."""

ASK = Path(__file__).with_name("ask.js")

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(NODE_JS is None, reason="needs Node.js"),
    pytest.mark.skipif(
        IN_PACKAGES is None, reason="needs npm's @grpc/grpc-js and @grpc/proto-loader"
    ),
]


def get(key: str, seconds: float = 20) -> dict[str, Any]:
    request = {"group": "scores", "key": key}
    return {
        "service": "gaocachepb.Gaocache",
        "method": "Get",
        "request": request,
        "seconds": seconds,
    }


async def ask(node: Node, folder: Path, calls: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - JSON
    """Return how each of `calls` ended, which were made at once."""
    assert NODE_JS is not None
    assert IN_PACKAGES is not None
    packages = Path(IN_PACKAGES).resolve()
    while packages.name != "node_modules":
        packages = packages.parent
    files = FileDescriptorSet()
    for file in (gaocache_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR):
        described = FileDescriptorProto()
        file.CopyToProto(described)
        files.file.append(described)
    descriptors = folder / "descriptors"
    descriptors.write_bytes(files.SerializeToString())
    process = await asyncio.create_subprocess_exec(
        *(NODE_JS, ASK, node.address, descriptors),
        env={**os.environ, "NODE_PATH": str(packages)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate(json.dumps(calls).encode())
    assert process.returncode == 0, stderr.decode()
    return json.loads(stdout)


async def test_it_gets_a_value_and_the_details_of_an_error(node: Node, tmp_path: Path) -> None:
    hit, missing = await ask(node, tmp_path, [get("Tom"), get("no")])
    assert hit == {"answer": {"value": b64encode(b"630").decode()}}
    assert (missing["code"], missing["words"]) == (5, "no not exist")
    status = Status.FromString(b64decode(missing["details"]))
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("gaocache", "key-not-found")


async def test_its_deadline_ends_the_call_and_the_look_up(
    node: Node, source: FakeSource, tmp_path: Path
) -> None:
    source.gate.clear()
    (late,) = await ask(node, tmp_path, [get("Tom", seconds=1)])
    assert late["code"] == 4
    async with asyncio.timeout(10):
        await source.left.wait()
    assert source.cancelled == ["Tom"]


async def test_1_000_calls_at_once_are_answered(node: Node, tmp_path: Path) -> None:
    outcomes = await ask(node, tmp_path, [get("Tom")] * 1_000)
    assert outcomes == [{"answer": {"value": b64encode(b"630").decode()}}] * 1_000


async def test_it_checks_the_health(node: Node, tmp_path: Path) -> None:
    check = {"service": "grpc.health.v1.Health", "method": "Check", "seconds": 20}
    asked = [{**check, "request": {"service": name}} for name in ("", "gaocachepb.Gaocache", "no")]
    *served, unknown = await ask(node, tmp_path, asked)
    assert served == [{"answer": {"status": "SERVING"}}] * 2
    assert unknown["code"] == 5
