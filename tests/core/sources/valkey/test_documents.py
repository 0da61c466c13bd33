"""The configs of a Valkey source and a second tier, as their page has them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sources.documents import blocks, served
from sources.redis_servers import PASSWORD, RedisServer, redis_server

from cache_core import NotFound

pytestmark = pytest.mark.service


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as started:
        yield started


async def test_the_config_gives_what_the_server_has(server: RedisServer, tmp_path: Path) -> None:
    (config,) = blocks("valkey", "toml")
    server.admin.set("user:1", b"Tom")
    config = config.replace("valkey://127.0.0.1:6379", server.url)
    assert PASSWORD in config
    async with served(config, tmp_path) as group:
        assert (await group.get("1")).data == b"Tom"
        with pytest.raises(NotFound):
            await group.get("2")


async def test_the_second_tier_spares_a_new_node_the_source(
    server: RedisServer, scores_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALKEY_PASSWORD", PASSWORD)
    (config,) = blocks("The second tier", "toml")
    assert "127.0.0.1:6379" in config
    config = config.replace("127.0.0.1:6379", server.address)
    for loads in (1, 0):  # the second time it finds it in the tier
        async with served(config, tmp_path) as group:
            assert (await group.get("Tom")).data == b"630"
            assert group.stats().loads == loads
    assert scores_db.parent == tmp_path
