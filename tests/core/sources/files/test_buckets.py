import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sources.bucket_endpoint import Endpoint, bucket_endpoint
from sources.documents import blocks, served
from sources.rig import MakeRig
from sources.rigs.s3 import S3Rig

from cache_core import NotFound, RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.files.retriever import FilesRetriever
from cache_core.sources.files.settings import FilesSource

SECRET = "hunter2"


def opened(url: str = "s3://bucket", **settings: object) -> FilesRetriever:
    keys = {"access_key": "AK", "secret_key": SECRET, "region": "us-east-1"}
    source = FilesSource.model_validate({"url": url, **keys, **settings})
    return FilesRetriever(source, folder=Path("/"))


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with bucket_endpoint() as answering:
        yield answering


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, "", RetrieverFailed, "the bucket answers 400"),
        (401, "", RetrieverFailed, "the bucket refuses the credentials"),
        (403, f"<Code>AccessDenied</Code>{SECRET}", RetrieverFailed, "refuses the credentials"),
        (408, "", SourceUnavailable, "can't be reached or can't answer now"),
        (404, "<Code>NoSuchBucket</Code>", RetrieverFailed, "there is no such bucket"),
        (429, "", SourceUnavailable, "can't be reached or can't answer now"),
        (500, SECRET, SourceUnavailable, "can't be reached or can't answer now"),
        (503, "<Code>SlowDown</Code>", SourceUnavailable, "can't answer now"),
    ],
)
async def test_what_the_bucket_answers_is_told_apart_and_not_repeated(
    endpoint: Endpoint, status: int, body: str, error: type[RetrieverFailed], words: str
) -> None:
    endpoint.says(status, body)
    retriever = opened(endpoint=endpoint.url)
    with pytest.raises(RetrieverFailed, match=re.escape(words)) as failed:
        await retriever.retrieve("Tom")
    assert type(failed.value) is error
    assert SECRET not in str(failed.value)
    with pytest.raises(InvalidSource if error is RetrieverFailed else SourceUnavailable):
        await retriever.check()


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("Tom", "/bucket/folder/Tom"),
        ("a b?c#d&e", "/bucket/folder/a%20b%3Fc%23d%26e"),
        ("%2e%2e/x", "/bucket/folder/%252e%252e/x"),
        ("é/ü", "/bucket/folder/%C3%A9/%C3%BC"),
        ("@evil.example", "/bucket/folder/%40evil.example"),
    ],
)
async def test_the_key_stays_a_path_below_the_prefix(
    endpoint: Endpoint, key: str, target: str
) -> None:
    endpoint.says(404, "<Code>NoSuchKey</Code>")
    assert await opened("s3://bucket/folder/", endpoint=endpoint.url).retrieve(key) is None
    assert endpoint.asked == [target]


@pytest.mark.parametrize("key", ["..", "a/../b", "/a", "a//b", "a\r\nb", "é" * 510])
async def test_a_key_that_no_object_has_is_not_even_asked_for(endpoint: Endpoint, key: str) -> None:
    assert await opened("s3://bucket/folder", endpoint=endpoint.url).retrieve(key) is None
    assert endpoint.asked == []


async def test_an_object_may_have_max_bytes_and_no_more(endpoint: Endpoint) -> None:
    endpoint.says(200, "630", "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT")
    got = await opened(endpoint=endpoint.url, max_bytes=3).retrieve("Tom")
    assert isinstance(got, Value)
    assert (got.data, got.version) == (b"630", "")
    with pytest.raises(RetrieverFailed, match="max_bytes"):
        await opened(endpoint=endpoint.url, max_bytes=2).retrieve("Tom")


async def test_a_call_that_is_cancelled_ends_at_the_bucket(endpoint: Endpoint) -> None:
    asking = asyncio.create_task(_retrieve(opened(endpoint=endpoint.url)))
    async with asyncio.timeout(10):
        await endpoint.waiting.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await endpoint.left.wait()


async def _retrieve(retriever: FilesRetriever) -> object:
    return await retriever.retrieve("Tom")


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cache_core.sources.files.bucket", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(InvalidSource, match=re.escape("pip install 'gaocache[buckets]'")):
        opened()


@contextlib.asynccontextmanager
async def made(make_s3: MakeRig, folder: Path) -> AsyncIterator[S3Rig]:
    async with make_s3(folder) as rig:
        assert isinstance(rig, S3Rig)
        yield rig


@pytest.mark.service
async def test_a_refresh_asks_whether_the_object_has_changed(
    make_s3: MakeRig, tmp_path: Path
) -> None:
    async with made(make_s3, tmp_path) as rig:
        await rig.put("Tom.json", b"630")
        retriever = FilesRetriever(rig.source, folder=tmp_path)
        first = await retriever.retrieve("Tom.json")
        assert isinstance(first, Value)
        assert first.terms.content_type == "application/json"
        held = first._replace(data=b"as held", ttl=-1.0, age=60.0)
        assert await retriever.refresh("Tom.json", held) == held._replace(ttl=None, age=0.0)
        await rig.put("Tom.json", b"631")
        changed = await retriever.refresh("Tom.json", held)
        assert isinstance(changed, Value)
        assert changed.data == b"631"
        assert changed.version not in {"", held.version}


@pytest.mark.service
async def test_a_bucket_that_is_not_there_fails_its_check(make_s3: MakeRig, tmp_path: Path) -> None:
    async with made(make_s3, tmp_path) as rig:
        source = rig.source.model_copy(update={"url": "s3://nowhere"})
        with pytest.raises(InvalidSource, match="there is no such bucket"):
            await FilesRetriever(source, folder=tmp_path).check()


@pytest.mark.service
async def test_the_config_serves_a_bucket_with_the_environments_credentials(
    make_s3: MakeRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, config = blocks("files", "toml")
    async with made(make_s3, tmp_path) as rig:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", rig.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rig.secret)
        await rig.put("Tom.json", b'{"score":630}')
        config = config.replace("s3://acme-data/users", rig.source.url)
        config = config.replace("https://s3.example.com", rig.url)
        assert rig.url in config
        async with served(config, tmp_path) as group:
            assert (await group.get("Tom")).data == b'{"score":630}'
            with pytest.raises(NotFound):
                await group.get("Jack")
