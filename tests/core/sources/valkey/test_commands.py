"""What a Valkey is asked for a key, and what its answers mean: without a real one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from sources.small_valkey import Held, SmallValkey, small_valkey

from cache_core import RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.valkey.retriever import ValkeyRetriever
from cache_core.sources.valkey.settings import ValkeySource


@pytest.fixture
async def valkey() -> AsyncIterator[SmallValkey]:
    async with small_valkey() as serving:
        yield serving


def opened(valkey: SmallValkey, **settings: object) -> contextlib.aclosing[ValkeyRetriever]:
    source = ValkeySource.model_validate({"url": valkey.url, **settings})
    return contextlib.aclosing(ValkeyRetriever(source, folder=Path()))


async def test_a_key_is_put_into_the_name_of_a_string(valkey: SmallValkey) -> None:
    valkey.things["user:1"] = Held(b"Tom")
    async with opened(valkey, key="user:{key}") as retriever:
        assert await retriever.retrieve("1") == b"Tom"
        assert await retriever.retrieve("2") is None
    assert valkey.commands == [("GET", "user:1"), ("GET", "user:2")]


async def test_a_hash_may_have_a_field_for_each_key_or_a_key_for_each_hash(
    valkey: SmallValkey,
) -> None:
    valkey.things["users"] = Held({"n:1": b"Tom"})
    valkey.things["user:1"] = Held({"name": b"Tom"})
    async with opened(valkey, key="users", field="n:{key}") as retriever:
        assert await retriever.retrieve_many(["1", "2"]) == {"1": b"Tom", "2": None}
    async with opened(valkey, key="user:{key}", field="name") as retriever:
        assert await retriever.retrieve_many(["1", "2"]) == {"1": b"Tom", "2": None}


async def test_the_ttl_of_a_key_is_asked_for_first_and_is_the_values(valkey: SmallValkey) -> None:
    valkey.things |= {"short": Held(b"s", 1500), "long": Held(b"l"), "over": Held(b"o", -2)}
    async with opened(valkey, ttl_from_source=True) as retriever:
        found = await retriever.retrieve_many(["short", "long", "none", "over"])
    assert found == {
        "short": Value(b"s", ttl=1.5),
        "long": b"l",
        "none": None,
        "over": Value(b"o", ttl=0.0),
    }
    assert valkey.commands[:2] == [("PTTL", "short"), ("GET", "short")]


@pytest.mark.parametrize("ttl_from_source", [True, False])
async def test_a_key_of_another_type_fails_alone(
    valkey: SmallValkey, *, ttl_from_source: bool
) -> None:
    valkey.things |= {"list": Held(None), "Tom": Held(b"630")}
    async with opened(valkey, ttl_from_source=ttl_from_source) as retriever:
        found = await retriever.retrieve_many(["list", "Tom"])
        assert found["Tom"] == b"630"
        with pytest.raises(RetrieverFailed, match="holds another type of value"):
            await retriever.retrieve("list")


@pytest.mark.parametrize(
    ("settings", "setting"),
    [({"key": "list{key}"}, "key"), ({"key": "list", "field": "{key}"}, "field")],
)
async def test_a_check_names_the_setting_that_leads_to_another_type(
    valkey: SmallValkey, settings: dict[str, str], setting: str
) -> None:
    valkey.things["list"] = Held(None)
    async with opened(valkey, **settings) as retriever:
        with pytest.raises(InvalidSource, match="another type") as refused:
            await retriever.check()
    assert refused.value.setting == setting


async def test_connections_end_with_the_retriever(valkey: SmallValkey) -> None:
    async with opened(valkey) as retriever:
        await retriever.retrieve("Tom")
        await asyncio.wait_for(valkey.ended.wait(), 5)  # that of the greeting
        valkey.ended.clear()
    await asyncio.wait_for(valkey.ended.wait(), 5)


async def test_a_valkey_that_is_not_there_is_unavailable(valkey: SmallValkey) -> None:
    valkey.url = "valkey://127.0.0.1:1"
    async with opened(valkey) as retriever:
        with pytest.raises(SourceUnavailable):
            await retriever.retrieve("Tom")
        with pytest.raises(SourceUnavailable):
            await retriever.check()


def test_the_key_is_in_the_name_or_in_the_field() -> None:
    with pytest.raises(ValidationError, match=r'it has {key} neither in "key" nor in "field"'):
        ValkeySource(url="valkey://h", key="users", field="name")
