import sys
from pathlib import Path

import pytest
from sources.documents import blocks, served

from cache_core import NotFound


async def test_the_config_serves_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (code,) = blocks("python", "py")
    (config,) = blocks("python", "toml")
    (tmp_path / "scores.py").write_text(code)
    monkeypatch.setitem(sys.modules, "scores", sys)  # so that it is gone after the test
    del sys.modules["scores"]
    async with served(config, tmp_path) as group:
        assert (await group.get("Tom")).data == b"640"
        with pytest.raises(NotFound):
            await group.get("NotExist")
