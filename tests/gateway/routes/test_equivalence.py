"""Whatever the group, the key and the value: HTTP and gRPC have the same outcome."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from http.client import parse_headers
from io import BytesIO
from typing import NamedTuple, cast
from urllib.parse import quote, quote_plus, urlsplit

import grpc
import pytest
from fakes import ALL_BYTES, FakeSource
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from processes import GatewayAt

from cache_core import Group, Node
from cache_core.errors import NotFound, SourceUnavailable
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from gateway.http.problems import HTTP_OF_REASON, HTTP_OF_STATUS

GET = "/gaocachepb.Gaocache/Get"
GROUPS = ["scores", "ä/b c%41+", "..", ".", "keys", "groups/x/keys/y", "?#&=;@:", "\0\n", "g" * 128]
KEY_BYTES, GROUP_BYTES = 1024, 128


def fitting(most: int) -> st.SearchStrategy[str]:
    hard = st.sampled_from("/.%+ ?#&=;:@\\\"'\0\r\n\x7f\ufffdäé€😀")
    return st.text(st.characters(codec="utf-8") | hard, max_size=most).filter(
        lambda text: len(text.encode()) <= most
    )


outcomes = (
    st.binary(max_size=300)
    | st.text(max_size=100).map(str.encode)
    | st.sampled_from([b"", ALL_BYTES, b"{}", b"\xef\xbb\xbfx", bytes(100_000)])
    | st.none()
    | st.text(max_size=50).map(NotFound)
    | st.text(max_size=50).map(SourceUnavailable)
    | st.just(ZeroDivisionError("secret"))
)


class Refusal(NamedTuple):
    """How a get failed, in the words of both wires."""

    status: int
    grpc_status: str
    detail: str
    reason: str


async def by_grpc(channel: grpc.aio.Channel, group: str, key: str) -> bytes | Refusal:
    call = channel.unary_unary(
        GET,
        request_serializer=GetRequest.SerializeToString,
        response_deserializer=GetResponse.FromString,
    )
    try:
        return bytes((await call(GetRequest(group=group, key=key), timeout=10)).value)
    except grpc.aio.AioRpcError as error:
        info = ErrorInfo()
        trailers = cast("Iterable[tuple[str, bytes]]", error.trailing_metadata())
        details = dict(trailers)["grpc-status-details-bin"]
        assert Status.FromString(details).details[0].Unpack(info)
        name = error.code().name
        status = HTTP_OF_REASON.get(info.reason, HTTP_OF_STATUS[name])
        return Refusal(status, name, error.details() or "", info.reason)


async def by_http(url: str, target: str) -> tuple[Mapping[str, str], bytes | Refusal]:
    """Send `target` just as it is."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    line, _, fields = head.partition(b"\r\n")
    headers = dict(parse_headers(BytesIO(fields + b"\r\n\r\n")))
    status = int(line.split()[1])
    if status == 200:
        return headers, body
    problem = json.loads(body)
    assert problem["status"] == status
    refusal = Refusal(status, problem["grpc_status"], problem["detail"], problem["reason"])
    return headers, refusal


@pytest.fixture
async def anything() -> FakeSource:
    return FakeSource()


@pytest.fixture
async def serving(
    anything: FakeSource, gateway_at: GatewayAt
) -> AsyncIterator[tuple[grpc.aio.Channel, str]]:
    groups = [Group(name, anything) for name in GROUPS]
    async with (
        Node("127.0.0.1:0", groups, grace=5) as node,
        grpc.aio.insecure_channel(node.address) as channel,
    ):
        yield channel, await gateway_at(node.address)


SETTINGS = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # nodes are meant to be kept
)
anything_asked = given(
    group=st.sampled_from(GROUPS) | fitting(GROUP_BYTES),
    key=fitting(KEY_BYTES),
    outcome=outcomes,
)


@settings(SETTINGS, max_examples=40)
@anything_asked
@example("scores", "", b"")
@example("", "", b"")
@example("", "k", b"")
@example("..", "..", b"x")
@example(".", "a/../b", b"x")
@example("scores", "/", b"x")
@example("scores", "é" * 512, None)
async def test_http_and_grpc_have_the_same_outcome(
    serving: tuple[grpc.aio.Channel, str],
    anything: FakeSource,
    group: str,
    key: str,
    outcome: bytes | Exception | None,
) -> None:
    await check_outcome(serving, anything, group, key, outcome)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(SETTINGS, max_examples=600)
@anything_asked
async def test_http_and_grpc_have_the_same_outcome_of_many(
    serving: tuple[grpc.aio.Channel, str],
    anything: FakeSource,
    group: str,
    key: str,
    outcome: bytes | Exception | None,
) -> None:
    await check_outcome(serving, anything, group, key, outcome)


async def check_outcome(
    serving: tuple[grpc.aio.Channel, str],
    anything: FakeSource,
    group: str,
    key: str,
    outcome: bytes | Exception | None,
) -> None:
    channel, url = serving
    anything.error = outcome if isinstance(outcome, Exception) else None
    anything.values = {} if anything.error or outcome is None else {key: outcome}
    expected = await by_grpc(channel, group, key)

    path = f"/groups/{quote(group, safe='')}/keys/{quote(key, safe='')}"
    query = f"/groups/{quote(group, safe='')}/keys?key={quote_plus(key)}"
    for separator, target in (("?", path), ("&", query)):
        assert (await by_http(url, f"{target}{separator}alt=media"))[1] == expected
        headers, body = await by_http(url, target)
        if isinstance(body, bytes):
            assert headers["content-type"] == "application/json"
            assert _read(json.loads(body), group, key) == expected
        else:
            assert headers["content-type"] == "application/problem+json"
            assert body == expected


def _read(document: Mapping[str, str], group: str, key: str) -> bytes:
    assert (document["group"], document["key"]) == (group, key)
    if document["encoding"] == "base64":
        return base64.b64decode(document["value"], validate=True)
    assert document["encoding"] == "utf-8"
    return document["value"].encode()
