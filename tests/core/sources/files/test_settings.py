"""What the `files` table takes, and what the page on sources says of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sources.documents import blocks, section, served

from cache_core import NotFound
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.files.retriever import FilesRetriever
from cache_core.sources.files.settings import FilesSource


@pytest.mark.parametrize(
    ("settings", "setting", "words"),
    [
        ({"url": "ftp://a/b"}, "url", "ftp:// is not known, use a folder, s3:// or gs://"),
        ({"url": "file://host/a"}, "url", "it should be like file:///srv/data"),
        ({"url": "file://[/a"}, "url", "it should be like file:///srv/data"),
        ({"url": "file://"}, "url", "it should be like file:///srv/data"),
        ({"url": "file:///a?b"}, "url", "it should be like file:///srv/data"),
        ({"url": "a\0b"}, "url", "it should be the path of a folder"),
        ({"url": "s3://user:hunter2@bucket"}, "url", "it should be like s3://bucket"),
        ({"url": "s3://"}, "url", "it should be like s3://bucket"),
        ({"url": "s3://bucket/../a"}, "url", "it should be like s3://bucket"),
        ({"key": "../{key}"}, "key", "it should be a path below the URL"),
        ({"key": "/{key}"}, "key", "it should be a path below the URL"),
        ({"region": "eu-west-1"}, "region", "it is for buckets"),
        ({"url": "gs://b", "region": "eu"}, "region", "it is for s3://"),
    ],
)
def test_settings_that_can_not_work_are_said_without_a_secret(
    settings: dict[str, str], setting: str, words: str
) -> None:
    with pytest.raises(InvalidSource, match=re.escape(words)) as refused:
        FilesRetriever(FilesSource.model_validate({"url": "a", **settings}), folder=Path("/"))
    assert refused.value.setting == setting
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"key": "name"}, "it should have {key} once"),
        ({"key": "{key}/{key}"}, "it should have {key} once"),
        ({"content_types": {"foo": "text/x-foo"}}, "it should be an extension"),
        ({"content_types": {".foo": "foo"}}, "it should be a media type"),
        ({"endpoint": "https://user:hunter2@host"}, "without a password"),
        ({"access_key": "AK"}, "access_key and secret_key go together"),
        ({"access_key": "A", "secret_key": "s", "anonymous": True}, "anonymous goes without"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        FilesSource.model_validate({"url": "s3://bucket", **settings})


async def test_the_config_serves_a_folder(tmp_path: Path) -> None:
    config, _ = blocks("files", "toml")
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "hello.md").write_text("# Hello")
    async with served(config, tmp_path) as group:
        assert (await group.get("hello")).data == b"# Hello"
        with pytest.raises(NotFound):
            await group.get("../gaocache")


def test_the_table_names_every_setting() -> None:
    rows = re.findall(r"^\| (`.+?) \|", section("files"), flags=re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(named) == sorted(set(FilesSource.model_fields) - {"kind"})
