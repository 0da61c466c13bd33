"""What caches that others wrote make of the gateway's answers: the same suite for each."""

import asyncio

import httpx
import pytest
from fakes import ALL_BYTES, FakeSource
from proxies.origin import TTL, Asked, Origin
from proxies.polling import put_with_one_second_left, until

pytestmark = pytest.mark.service

TOM = "/groups/scores/keys/Tom"
JSON = b'{"group":"scores","key":"Tom","value":"630","encoding":"utf-8"}'
BYTES = {"Accept": "application/octet-stream"}


async def test_a_fresh_value_is_answered_without_the_gateway(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    for _ in range(3):
        response = await proxied.get(TOM)
        assert response.status_code == 200
        assert response.content == JSON
        assert response.headers["content-type"] == "application/json"
        assert response.headers["content-security-policy"] == "sandbox"
        assert response.headers["x-content-type-options"] == "nosniff"
    assert origin.asked == [Asked("GET", TOM, 200)]


async def test_concurrent_gets_of_a_key_that_is_not_kept_are_one_request(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    origin.source.gate.clear()
    gets = [asyncio.create_task(proxied.get(TOM)) for _ in range(10)]
    await origin.source.asked.wait()
    origin.source.gate.set()
    assert {(await get).content for get in gets} == {JSON}
    assert origin.asked == [Asked("GET", TOM, 200)]


async def test_a_value_that_has_expired_is_revalidated(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    await put_with_one_second_left(TOM, direct, proxied, origin)
    response = await until(lambda: proxied.get(TOM), lambda _: bool(origin.asked))
    assert response.status_code == 200
    assert response.content == JSON
    assert origin.asked == [Asked("GET", TOM, 304)]


async def test_a_value_that_has_changed_replaces_the_one_that_has_expired(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    await put_with_one_second_left(TOM, direct, proxied, origin)
    origin.source.values["Tom"] = b"631"
    origin.clock.tick(2)
    response = await until(lambda: proxied.get(TOM), lambda _: bool(origin.asked))
    assert response.json()["value"] == "631"
    assert (await proxied.get(TOM)).json()["value"] == "631"
    assert origin.asked == [Asked("GET", TOM, 200)]


async def test_a_value_that_is_gone_is_not_answered_stale(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/tolerant/keys/Tom"
    await put_with_one_second_left(target, direct, proxied, origin)
    del origin.source.values["Tom"]
    origin.clock.tick(2)
    response = await until(lambda: proxied.get(target), lambda _: bool(origin.asked))
    assert response.status_code == 404
    assert response.json()["reason"] == "key-not-found"


async def test_the_forms_of_a_value_are_kept_apart(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    for _ in range(2):
        assert (await proxied.get(TOM)).content == JSON
        raw = await proxied.get(TOM, headers=BYTES)
        assert raw.content == b"630"
        assert raw.headers["content-disposition"] == "attachment"
    assert origin.asked == [Asked("GET", TOM, 200)] * 2


async def test_who_takes_no_gzip_gets_plain_bytes_after_one_who_does(
    proxied: httpx.AsyncClient, source: FakeSource
) -> None:
    source.values["large"] = b"large " * 1000
    target = "/groups/scores/keys/large"
    for _ in range(2):
        for coding in ("gzip", "identity"):
            headers = {"Accept": "text/plain", "Accept-Encoding": coding}
            response = await proxied.get(target, headers=headers)
            assert response.headers.get("content-encoding", "identity") == coding
            assert response.content == source.values["large"]


async def test_who_has_the_value_gets_304_without_the_gateway(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    etag = (await proxied.get(TOM)).headers["etag"]
    response = await proxied.get(TOM, headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert len(origin.asked) == 1


async def test_a_head_is_answered_from_what_a_get_left(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    get = await proxied.get(TOM)
    head = await proxied.head(TOM)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "cache-control", "vary"):
        assert head.headers[name] == get.headers[name]
    assert len(origin.asked) == 1


async def test_a_range_is_cut_from_the_whole_that_is_kept(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/scores/keys/binary"
    for first in (10, 250):
        headers = {**BYTES, "Range": f"bytes={first}-{first + 4}"}
        response = await proxied.get(target, headers=headers)
        assert response.status_code == 206
        assert response.content == ALL_BYTES[first : first + 5]
        assert response.headers["content-range"] == f"bytes {first}-{first + 4}/256"
    past_the_end = await proxied.get(target, headers={**BYTES, "Range": "bytes=256-"})
    assert past_the_end.status_code == 416
    assert past_the_end.headers["content-range"] == "bytes */256"
    assert origin.asked == [Asked("GET", target, 200)]


async def test_a_range_of_another_version_is_answered_whole(proxied: httpx.AsyncClient) -> None:
    etag = (await proxied.get(TOM, headers=BYTES)).headers["etag"]
    ranged = {**BYTES, "Range": "bytes=0-1"}
    part = await proxied.get(TOM, headers={**ranged, "If-Range": etag})
    assert (part.status_code, part.content) == (206, b"63")
    whole = await proxied.get(TOM, headers={**ranged, "If-Range": '"other"'})
    assert (whole.status_code, whole.content) == (200, b"630")


async def test_a_missing_key_is_kept_where_the_group_remembers_it(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/remembering/keys/nobody"
    for _ in range(2):
        response = await proxied.get(target)
        assert response.status_code == 404
        assert response.json()["reason"] == "key-not-found"
    assert origin.asked == [Asked("GET", target, 404)]


@pytest.mark.parametrize(
    ("key", "error", "status"),
    [("nobody", None, 404), ("Tom", ValueError(), 500), ("Tom", ConnectionError(), 503)],
)
async def test_no_other_error_is_kept(
    proxied: httpx.AsyncClient, origin: Origin, key: str, error: Exception | None, status: int
) -> None:
    origin.source.error = error
    target = f"/groups/scores/keys/{key}"
    for _ in range(2):
        response = await proxied.get(target)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
    assert origin.asked == [Asked("GET", target, status)] * 2


async def test_a_group_without_a_ttl_is_asked_for_each_time(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/lasting/keys/Tom"
    for _ in range(2):
        assert (await proxied.get(target)).status_code == 200
    assert origin.asked == [Asked("GET", target, 200)] * 2


async def test_an_authenticated_answer_is_not_shared(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    for _ in range(2):
        await proxied.get(TOM, headers={"Authorization": "Bearer x"})
    await proxied.get(TOM)
    assert len(origin.asked) == 3


async def test_other_methods_go_through_but_nginx_lets_nobody_remove(
    direct: httpx.AsyncClient,
    proxied: httpx.AsyncClient,
    origin: Origin,
    request: pytest.FixtureRequest,
) -> None:
    kept_back = {"DELETE", "PUT"} if "nginx" in request.node.callspec.params.values() else set()
    await proxied.get(TOM)
    origin.asked.clear()
    methods = ("DELETE", "PUT", "OPTIONS", "DELETE")
    for method in methods:
        answers = [await client.request(method, TOM) for client in (direct, proxied)]
        status = 403 if method in kept_back else answers[0].status_code
        assert answers[1].status_code == status
    asked = [method for method in methods for _ in range(1 if method in kept_back else 2)]
    assert [each.method for each in origin.asked] == asked


@pytest.mark.parametrize(
    "target",
    [
        "/groups/scores/keys/a/b",
        "/groups/scores/keys/a%2Fb",
        "/groups/scores/keys/%C3%A4",
        "/groups/scores/keys/a%20b",
        "/groups/scores/keys/a+b",
        "/groups/scores/keys/%2541",
        "/groups/scores/keys?key=..",
        "/groups/scores/keys/" + "%C3%A9" * 512,
        "/groups/scores/keys/",
        "/groups/scores/keys/%FF",
        "/groups//keys//Tom",
    ],
)
async def test_a_key_goes_through_as_it_was_sent(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, target: str
) -> None:
    answers = [await client.get(target) for client in (direct, proxied)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content


async def test_a_value_that_the_node_has_stale_already_is_not_kept(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/tolerant/keys/Tom"
    await direct.get(target)
    origin.source.error = ConnectionError()
    origin.clock.tick(TTL + 10)
    origin.asked.clear()
    for _ in range(2):
        response = await proxied.get(target)
        assert response.status_code == 200
        assert "fwd=stale" in response.headers["cache-status"]
    assert len(origin.asked) == 2


async def test_a_stale_value_is_answered_at_once_and_refreshed_behind(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    target = "/groups/graceful/keys/Tom"
    await put_with_one_second_left(target, direct, proxied, origin)
    origin.source.values["Tom"] = b"631"
    origin.clock.tick(TTL * 20)  # past all that the node may answer stale: it loads anew
    origin.source.asked.clear()
    origin.source.gate.clear()

    async def get() -> httpx.Response:
        # nginx has a connection's next request wait for the refresh that the last one began.
        return await proxied.get(target, headers={"Connection": "close"})

    stale = await until(get, lambda _: origin.source.asked.is_set())
    assert stale.json()["value"] == "630"
    assert (await get()).json()["value"] == "630"
    origin.source.gate.set()
    await until(get, lambda answer: answer.json()["value"] == "631")
    assert origin.asked == [Asked("GET", target, 200)]


async def test_a_stale_value_is_answered_while_the_gateway_is_down(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    for group in ("graceful", "scores"):
        await put_with_one_second_left(f"/groups/{group}/keys/Tom", direct, proxied, origin)
    await origin.go_down()
    without = await until(lambda: proxied.get(TOM), lambda answer: answer.status_code != 200)
    assert without.status_code in {502, 503}
    response = await proxied.get("/groups/graceful/keys/Tom")
    assert response.status_code == 200
    assert response.json()["value"] == "630"
