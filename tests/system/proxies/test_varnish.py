"""What only Varnish does."""

import httpx
import pytest
from proxies.origin import TTL, Asked, Origin
from proxies.polling import put_with_one_second_left, until

pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("proxied", ["varnish"], indirect=True),
]

TOM = "/groups/scores/keys/Tom"


async def test_age_is_counted_on(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    await direct.get(TOM)
    origin.clock.tick(20)
    origin.asked.clear()
    assert int((await proxied.get(TOM)).headers["age"]) >= 20
    await until(lambda: proxied.get(TOM), lambda answer: int(answer.headers["age"]) > 20)
    assert len(origin.asked) == 1


async def test_plain_bytes_are_made_from_the_one_gzip_that_is_kept_with_a_weak_etag(
    proxied: httpx.AsyncClient, origin: Origin
) -> None:
    origin.source.values["large"] = b"large " * 1000
    target = "/groups/scores/keys/large"
    coded = await proxied.get(target, headers={"Accept-Encoding": "gzip, zstd"})
    plain = await proxied.get(target)
    assert coded.headers["content-encoding"] == "gzip"
    assert plain.content == coded.content
    assert plain.headers["etag"] == "W/" + coded.headers["etag"]
    assert origin.asked == [Asked("GET", target, 200)]


async def test_a_stale_value_stays_while_its_refresh_ends_in_errors(
    direct: httpx.AsyncClient, proxied: httpx.AsyncClient, origin: Origin
) -> None:
    # It knows no stale-if-error: what it may answer is within stale-while-revalidate.
    target = "/groups/graceful/keys/Tom"
    await put_with_one_second_left(target, direct, proxied, origin)
    origin.source.error = ConnectionError()
    origin.clock.tick(TTL * 20)
    await until(lambda: proxied.get(target), lambda _: len(origin.asked) > 1)
    assert {asked.status for asked in origin.asked} == {503}
    response = await proxied.get(target)
    assert response.status_code == 200
    assert response.json()["value"] == "630"
