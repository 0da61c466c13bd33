import re
from pathlib import Path

import pytest
from sources.documents import blocks, section, served
from sources.http_origin import HOST, HttpOrigin, by_target, response

from cache_core import NotFound
from cache_core.sources.http.settings import HttpSource


async def test_the_config_serves_an_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "t0ken")
    (config,) = blocks("http", "toml")
    answers = {"/users/Tom": response(200, b"630", "Cache-Control: max-age=5")}
    async with HttpOrigin(by_target(answers)).up() as origin:
        config = config.replace("localhost:9000", f"{HOST}:{origin.port}")
        async with served(config, tmp_path) as group:
            tom = await group.get("Tom")
            with pytest.raises(NotFound):
                await group.get("Jack")
    assert tom.data == b"630"
    assert tom.ttl is not None
    assert tom.ttl <= 5
    assert all(asked.headers["authorization"].startswith("Bearer ") for asked in origin.asked)


def test_the_table_names_every_setting() -> None:
    rows = re.findall(r"^\| (`.+?) \|", section("http"), flags=re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows))
    assert set(named) == set(HttpSource.model_fields) - {"kind"}
