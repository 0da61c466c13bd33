"""What only nginx does, with the configuration that its page gives."""

import httpx
import pytest
from proxies.origin import TTL, Asked, Origin
from proxies.polling import put_with_one_second_left, until

pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("proxied", ["nginx"], indirect=True),
]

TOM = "/groups/scores/keys/Tom"


async def test_each_coding_is_kept_by_itself(proxied: httpx.AsyncClient, origin: Origin) -> None:
    origin.source.values["large"] = b"large " * 1000
    target = "/groups/scores/keys/large"
    etags = set()
    for _ in range(2):
        for coding in ("gzip", "zstd", "identity"):
            response = await proxied.head(target, headers={"Accept-Encoding": coding})
            assert response.headers.get("content-encoding", "identity") == coding
            etags.add(response.headers["etag"])
    assert len(etags) == 3
    assert origin.asked == [Asked("GET", target, 200)] * 3


async def test_the_cache_status_says_what_nginx_did_after_what_the_node_did(
    proxied: httpx.AsyncClient,
) -> None:
    async def status() -> list[str]:
        node, nginx = (await proxied.get(TOM)).headers.get_list("cache-status")
        return [node.partition("; ")[2], nginx]

    assert await status() == ["fwd=miss; stored", "nginx; fwd=miss"]
    assert await status() == ["fwd=miss; stored", "nginx; hit"]
    assert "cache-status" not in (await proxied.put(TOM)).headers


async def test_what_only_nginx_needs_goes_no_further(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    assert (await direct.get(TOM)).headers["x-accel-expires"] == "60"
    origin.clock.tick(20)
    for _ in range(2):
        response = await proxied.get(TOM)
        assert "x-accel-expires" not in response.headers
        # nginx does not count on: at a hit, too, this is the age that it was told.
        assert response.headers["age"] == "20"


async def test_an_error_that_the_gateway_answers_is_passed_on_though_the_group_has_stale_if_error(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    # RFC 5861 has a 503 for an error, too; nginx by itself only a gateway that gives no answer.
    target = "/groups/tolerant/keys/Tom"
    await put_with_one_second_left(target, direct, proxied, origin)
    origin.source.error = ConnectionError()
    origin.clock.tick(TTL * 20)
    response = await until(lambda: proxied.get(target), lambda _: bool(origin.asked))
    assert origin.asked == [Asked("GET", target, 503)]
    assert response.status_code == 503
    origin.source.error = None
    assert (await proxied.get(target)).status_code == 200
