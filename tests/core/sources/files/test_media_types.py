import mimetypes
import re
from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter

from cache_core.settings import MediaType
from cache_core.sources.files.media_types import MediaTypes


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("a.json", "application/json"),
        ("a.HTML", "text/html"),
        ("a.js", "text/javascript"),
        ("a.webp", "image/webp"),
        ("a.tar.gz", "application/gzip"),
        ("a.yaml", "application/yaml"),
        ("b.csv/a", ""),
        ("a", ""),
        (".json", ""),
        ("a.unheard-of", ""),
        ("data:text/html,a", ""),
    ],
)
def test_the_extension_tells_the_type(path: str, media_type: str) -> None:
    assert MediaTypes({}).of(path, "") == media_type


def test_the_sources_own_types_come_first_then_the_declared_one() -> None:
    media_types = MediaTypes({".json": "application/geo+json"})
    assert media_types.of("a.json", "text/plain") == "application/geo+json"
    assert media_types.of("a.csv", "text/plain") == "text/plain"
    assert media_types.of("a.csv", "text/plain\r\nX: y") == "text/csv"


@pytest.fixture
def taught() -> Iterator[str]:
    """An extension that this machine's own table has."""
    mimetypes.add_type("text/x-taught", ".taught")
    yield ".taught"
    mimetypes.init()


def test_the_machines_own_table_is_not_asked(taught: str) -> None:
    assert mimetypes.guess_type(f"a{taught}")[0] == "text/x-taught"
    assert MediaTypes({}).of(f"a{taught}", "") == ""


def test_every_known_type_may_travel() -> None:
    known = MediaTypes({})
    extensions = {*mimetypes.types_map, *re.findall(r"\.\w+", "a.7z b.zst c.woff2")}
    types = {known.of(f"a{extension}", "") for extension in extensions} - {""}
    assert len(types) > 50
    for media_type in types:
        assert TypeAdapter(MediaType).validate_python(media_type) == media_type
