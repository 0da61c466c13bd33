"""What a bucket is asked, and what its answers are taken for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sources.bucket_endpoint import Endpoint, bucket_endpoint

from cache_core import Value
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.files.bucket import MAX_NAME
from cache_core.sources.files.retriever import FilesRetriever
from cache_core.sources.files.settings import FilesSource

SECRET = "hunter2"
KEYS = {"access_key": "AK", "secret_key": SECRET, "region": "us-east-1"}
MODIFIED = "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT"


def opened(url: str = "s3://bucket", **settings: object) -> FilesRetriever:
    return FilesRetriever(FilesSource.model_validate({"url": url, **settings}), folder=Path("/"))


async def value(retriever: FilesRetriever, key: str) -> Value:
    got = await retriever.retrieve(key)
    assert isinstance(got, Value)
    return got


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with bucket_endpoint() as answering:
        answering.says(200, "630", MODIFIED)
        yield answering


async def test_an_object_that_is_held_is_only_asked_whether_it_has_changed(
    endpoint: Endpoint,
) -> None:
    endpoint.says(200, "630", MODIFIED, 'ETag: "1"')
    retriever = opened(endpoint=endpoint.url, **KEYS)
    loaded = await value(retriever, "Tom")
    assert (loaded.data, loaded.version) == (b"630", '"1"')
    held = loaded._replace(ttl=-1.0, age=60.0)
    endpoint.says(304, "", 'ETag: "1"')
    assert await retriever.refresh("Tom", held) == held._replace(ttl=None, age=0.0)
    endpoint.says(200, "631", MODIFIED, 'ETag: "2"')
    changed = await retriever.refresh("Tom", held)
    assert isinstance(changed, Value)
    assert (changed.data, changed.version) == (b"631", '"2"')
    asked_for = [request.headers.get("if-none-match") for request in endpoint.requests]
    assert asked_for == [None, '"1"', '"1"']


@pytest.mark.parametrize(
    ("declared", "served"),
    [
        ("image/png", "image/png"),
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("binary/octet-stream", "application/json"),
        ("application/octet-stream", "application/json"),
    ],
)
async def test_an_object_has_the_type_that_it_was_put_with(
    endpoint: Endpoint, declared: str, served: str
) -> None:
    endpoint.says(200, "630", MODIFIED, f"Content-Type: {declared}")
    got = await value(opened(endpoint=endpoint.url, **KEYS), "Tom.json")
    assert got.terms.content_type == served


async def test_s3_gets_signed_requests_unless_the_bucket_is_anybodys(endpoint: Endpoint) -> None:
    await value(opened(endpoint=endpoint.url, **KEYS), "Tom")
    await value(opened(endpoint=endpoint.url, anonymous=True), "Tom")
    signed, anonymous = (request.headers for request in endpoint.requests)
    assert "Credential=AK/" in signed["authorization"]
    assert "authorization" not in anonymous


async def test_a_gcs_bucket_of_anybody_is_read_at_its_endpoint(endpoint: Endpoint) -> None:
    endpoint.says(200, "630", MODIFIED, 'ETag: "1"')
    retriever = opened("gs://bucket/folder", endpoint=endpoint.url, anonymous=True)
    assert (await value(retriever, "Tom")).data == b"630"
    (asked,) = endpoint.requests
    assert asked.target == "/bucket/folder%2FTom"
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("url", "longest"),
    [("s3://bucket", MAX_NAME), ("s3://bucket/folder", MAX_NAME - len("folder/"))],
)
async def test_an_objects_name_may_be_as_long_as_buckets_allow(
    endpoint: Endpoint, url: str, longest: int
) -> None:
    retriever = opened(url, endpoint=endpoint.url, **KEYS)
    assert (await value(retriever, "x" * longest)).data == b"630"
    assert len(endpoint.requests) == 1
    assert await retriever.retrieve("x" * (longest + 1)) is None
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [("gs://bucket", "GOOGLE_SERVICE_ACCOUNT_KEY"), ("s3://bucket", "AWS_SKIP_SIGNATURE")],
)
def test_an_environment_that_can_not_be_used_is_said_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str, name: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(InvalidSource, match="in the environment can't be used") as refused:
        opened(url)
    assert refused.value.setting == "url"
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__
