from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sources.folder_source import opened

from cache_core.sources.files.retriever import FilesRetriever


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file, beside which is one that no key may reach."""
    (tmp_path / "secret").write_bytes(b"stolen")
    things = tmp_path / "things"
    things.mkdir()
    (things / "Tom").write_bytes(b"630")
    (things / "more").mkdir()
    (things / "more" / "Jack.json").write_bytes(b"589")
    return things


@pytest.fixture
async def files(root: Path) -> AsyncIterator[FilesRetriever]:
    retriever = opened(root.parent)
    yield retriever
    await retriever.aclose()
