"""The gateway over real sockets, a real node behind it."""

import asyncio
import base64
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fakes import ALL_BYTES, FakeSource

from cache_core import Node


async def send(url: str, target: bytes, *, method: bytes = b"GET") -> tuple[int, bytes]:
    """Send a request target as it is, which no HTTP client would; return status and body."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body


@pytest.mark.asyncio(loop_scope="module")
async def test_a_key_is_answered_as_json(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/groups/scores/keys/Tom")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.text == '{"group":"scores","key":"Tom","value":"630","encoding":"utf-8"}'


async def test_asked_twice_the_source_is_looked_up_once_and_for_a_missing_key_twice(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    for _ in range(2):
        assert (await http.get("/groups/scores/keys/Tom")).status_code == 200
        response = await http.get("/groups/scores/keys/NotExist")
        assert response.status_code == 404
        assert response.json()["detail"] == "NotExist not exist"
    assert sorted(source.lookups) == ["NotExist", "NotExist", "Tom"]


async def test_a_hundred_requests_of_a_cold_key_look_it_up_once(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    source.gate.clear()
    gets = [asyncio.create_task(http.get("/groups/scores/keys/Tom")) for _ in range(100)]
    await source.asked.wait()
    source.gate.set()
    assert {response.status_code for response in await asyncio.gather(*gets)} == {200}
    assert source.lookups == ["Tom"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "key", ["a/b", "ä", "a b", "a+b", "..", "%41", "k" * 1024, "é" * 512, "empty", "binary"]
)
async def test_keys_round_trip_in_path_and_query(
    shared_http: httpx.AsyncClient, shared_url: str, shared_source: FakeSource, key: str
) -> None:
    by_query = await shared_http.get("/groups/scores/keys", params={"key": key, "alt": "media"})
    assert by_query.content == shared_source.values[key]
    for safe in ("", "/"):
        target = f"/groups/scores/keys/{quote(key, safe=safe)}?alt=media"
        assert await send(shared_url, target.encode()) == (200, shared_source.values[key])
    assert shared_source.lookups.count(key) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "ask", [{"params": {"alt": "media"}}, {"headers": {"Accept": "application/octet-stream"}}]
)
async def test_the_raw_form_is_the_exact_bytes(
    shared_http: httpx.AsyncClient, ask: dict[str, dict[str, str]]
) -> None:
    response = await shared_http.get("/groups/scores/keys/binary", **ask)  # type: ignore[arg-type] # params or headers
    assert response.content == ALL_BYTES
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment"


@pytest.mark.asyncio(loop_scope="module")
async def test_binary_is_base64_in_the_json_form(shared_http: httpx.AsyncClient) -> None:
    body = (await shared_http.get("/groups/scores/keys/binary")).json()
    assert body["encoding"] == "base64"
    assert base64.b64decode(body["value"], validate=True) == ALL_BYTES


@pytest.mark.asyncio(loop_scope="module")
async def test_values_are_sandboxed_and_vary_by_form_and_coding(
    shared_http: httpx.AsyncClient,
) -> None:
    headers = (await shared_http.get("/groups/scores/keys/Tom")).headers
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert headers["content-security-policy"] == "sandbox"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "path",
    [
        "/groups/scores/keys/Tom",
        "/groups/scores/keys?key=Tom&key=Jack",
        "/groups",
        "/groups/scores",
        "/livez",
        "/readyz",
    ],
)
async def test_a_head_has_the_headers_of_the_get_and_no_body(
    shared_http: httpx.AsyncClient, path: str
) -> None:
    got = await shared_http.get(path)
    head = await shared_http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "cache-control", "etag", "vary"):
        assert head.headers.get(name) == got.headers.get(name)
    assert int(head.headers["content-length"]) == len(got.content)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "path",
    [
        "/groups/scores/keys/Tom",
        "/groups/scores/keys/NotExist",
        "/groups/scores",
        "/cluster",
        "/livez",
        "/docs",
        "/redoc",
        "/docs/assets/favicon.png",
        "/openapi.json",
        "/none",
    ],
)
async def test_no_answers_type_is_guessed(shared_http: httpx.AsyncClient, path: str) -> None:
    assert (await shared_http.get(path)).headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "cache_control"),
    [
        ("/groups/scores/keys/Tom", "no-cache"),
        ("/groups/scores/keys/NotExist", "no-store"),
        ("/docs", "no-store"),
        ("/docs/assets/favicon.png", "no-cache"),
        ("/openapi.json", "no-store"),
        ("/none", "no-store"),
    ],
)
async def test_no_answers_lifetime_is_guessed(
    shared_http: httpx.AsyncClient, path: str, cache_control: str
) -> None:
    assert (await shared_http.get(path)).headers.get_list("cache-control") == [cache_control]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        (b"/groups/scores/keys/%FF", 400, "invalid-encoding"),
        (b"/groups/scores/keys/%ZZ", 400, "malformed-escape"),
        (b"/groups/scores/keys/", 400, "key-required"),
        (b"/groups/scores/keys", 400, "key-required"),
        (b"/groups/scores/keys?key=a&key=%FF", 400, "invalid-encoding"),
        (b"/groups/scores/keys?" + b"key=&" * 1001, 400, "too-many-keys"),
        (b"/groups/scores/keys?key=a&key=b&alt=media", 406, "not-acceptable"),
        (b"/groups/" + b"g" * 129 + b"/keys?key=a&key=b", 400, "group-too-long"),
        (b"/groups/none", 404, "unknown-group"),
        (b"/groups/", 404, "unknown-group"),
        (b"/groups/%FF", 400, "invalid-encoding"),
        (b"/groups/scores/keys/Tom?alt=xml", 400, "invalid-parameter"),
        (b"/groups/scores/keys/Tom?encoding=latin-1", 400, "invalid-parameter"),
        (b"/groups/scores/keys/binary?encoding=utf-8", 406, "not-acceptable"),
        (b"/groups/scores/keys/" + b"k" * 1025, 400, "key-too-long"),
        (b"/groups/" + b"g" * 129 + b"/keys/k", 400, "group-too-long"),
        (b"/groups/scores/keys/" + b"k" * 9000, 414, "target-too-long"),
        (b"/groups/none/keys/k", 404, "unknown-group"),
        (b"/groups//keys/k", 404, "unknown-group"),
        (b"/groups/a%2Fb/keys/k", 404, "unknown-group"),
        (b"/groups/scores/keys/../Tom", 404, "key-not-found"),
        (b"/groups/scores//keys/Tom", 404, "not-found"),
        (b"/groups/scores/keys/Tom/", 404, "key-not-found"),
        (b"/none", 404, "not-found"),
        (b"/docs/", 404, "not-found"),
    ],
)
async def test_what_has_no_value_is_a_problem_and_never_a_redirect(
    shared_url: str, target: bytes, status: int, reason: str
) -> None:
    got, body = await send(shared_url, target)
    assert got == status
    assert httpx.Response(got, content=body).json()["reason"] == reason


@pytest.mark.asyncio(loop_scope="module")
async def test_a_form_there_is_not_is_406_with_the_list(shared_http: httpx.AsyncClient) -> None:
    response = await shared_http.get("/groups/scores/keys/Tom", headers={"Accept": "image/webp"})
    assert response.status_code == 406
    words = "there is application/json, application/octet-stream and text/plain"
    assert response.json()["detail"] == words


@pytest.mark.asyncio(loop_scope="module")
async def test_several_accept_lines_are_one_list(shared_http: httpx.AsyncClient) -> None:
    lines = [("Accept", "image/webp"), ("Accept", "application/octet-stream")]
    response = await shared_http.get("/groups/scores/keys/Tom", headers=lines)
    assert response.headers["content-type"] == "application/octet-stream"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/groups/scores/keys/Tom", "DELETE, GET, HEAD, OPTIONS"),
        ("/groups/scores/keys", "DELETE, GET, HEAD, OPTIONS"),
        ("/groups/scores/keys:batchGet", "OPTIONS, POST"),
        ("/groups", "GET, HEAD, OPTIONS"),
        ("/groups/scores", "GET, HEAD, OPTIONS"),
        ("/cluster", "GET, HEAD, OPTIONS"),
        ("/livez", "GET, HEAD, OPTIONS"),
        ("/readyz", "GET, HEAD, OPTIONS"),
        ("/docs/assets/favicon.png", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_405_with_what_is_allowed(
    shared_http: httpx.AsyncClient, path: str, allowed: str
) -> None:
    response = await shared_http.put(path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_node_that_is_gone_is_503_with_retry_after(
    http: httpx.AsyncClient, node: Node
) -> None:
    await node.stop()
    response = await http.get("/groups/scores/keys/Tom")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["node"] == node.address
    assert response.json()["retryable"] is True


async def test_a_value_over_the_limit_is_a_clear_502(
    http: httpx.AsyncClient, source: FakeSource
) -> None:
    source.values["large"] = b"x" * (4 * 1024 * 1024 + 1)
    response = await http.get("/groups/scores/keys/large")
    assert response.status_code == 502
    assert response.json()["reason"] == "value-too-large"
