"""What an http source's table may not say, and what asking the source for one key finds out."""

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sources.http_origin import HOST, Asked, HttpOrigin, always, by_target, response

from cache_core import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.http.retriever import HttpRetriever
from cache_core.sources.http.settings import HttpSource

URL = "https://api.example.com/users/{key}"


def opened(**settings: object) -> HttpRetriever:
    source = HttpSource.model_validate({"url": URL, **settings})
    return HttpRetriever(source, folder=Path())


@pytest.mark.parametrize(
    ("settings", "setting", "words"),
    [
        ({"url": "https://h/hunter2"}, "url", "it has no {key}"),
        ({"headers": {"X Y": "hunter2"}}, "headers", "X Y is no name of a header"),
        ({"headers": {"Host": "hunter2"}}, "headers", "Host is not to be set"),
        ({"headers": {"X": "hunter2\r\nY: z"}}, "headers", "the value of X should be printable"),
        ({"headers": {"X": "hunter2 "}}, "headers", "the value of X should be printable"),
        ({"headers": {"X": "hünter2"}}, "headers", "the value of X should be printable"),
        ({"headers": {"X": "a", "x": "hunter2"}}, "headers", "x is given more than once"),
        (
            {"headers": {"authorization": "hunter2"}, "token": "a"},
            "headers",
            "authorization is given more than once",
        ),
        ({"token": "hunter2\n"}, "token", "it should be printable"),
        ({"token": "hunter2", "username": "tom"}, "token", "there is a username or password too"),
        ({"password": "hunter2"}, "password", "it needs a username"),
        ({"username": "tom:hunter2"}, "username", "it should have no colon"),
    ],
)
def test_a_table_that_can_not_work_is_refused_without_its_secrets(
    settings: dict[str, object], setting: str, words: str
) -> None:
    with pytest.raises(InvalidSource) as refused:
        opened(**settings)
    assert refused.value.setting == setting
    assert str(refused.value).startswith(words)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "content-length", "Expect", "HOST", "If-None-Match", "Range", "TE"),
        *("Traceparent", "Trailer", "Transfer-Encoding", "Upgrade", "Accept-Encoding"),
    ],
)
def test_a_header_that_a_request_frames_itself_with_may_not_be_set(name: str) -> None:
    with pytest.raises(InvalidSource, match=f"^{name} is not to be set") as refused:
        opened(headers={name: "1"})
    assert refused.value.setting == "headers"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_bytes", 0),
        ("read_timeout", 0),
        ("connect_timeout", "soon"),
        ("pool_size", 0),
        ("allow_private", 1),
        ("check_key", ""),
        ("headers", {"X": 1}),
        ("url", 1),
    ],
)
def test_a_setting_out_of_its_range_is_refused(setting: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        opened(**{setting: value})
    assert refused.value.errors()[0]["loc"][0] == setting


def test_a_secret_under_a_wrong_name_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        opened(pasword="hunter2")
    assert "hunter2" not in str(refused.value)


async def checked(origin: HttpOrigin, **settings: object) -> None:
    url = f"http://{HOST}:{origin.port}/users/{{key}}"
    async with contextlib.aclosing(opened(url=url, allow_private=True, **settings)) as retriever:
        await retriever.check()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("settings", "setting"),
    [({"token": "x"}, "token"), ({"username": "x"}, "password"), ({}, "headers")],
)
async def test_credentials_that_are_refused_are_a_setting_at_fault(
    status: int, settings: dict[str, object], setting: str
) -> None:
    async with HttpOrigin(always(response(status))).up() as origin:
        with pytest.raises(InvalidSource, match="refuses the credentials") as refused:
            await checked(origin, **settings)
    assert refused.value.setting == setting


async def test_a_check_of_ones_own_key_asks_for_that() -> None:
    answers = {"/users/Tom": response(200), "/users/Jack": response(400)}
    async with HttpOrigin(by_target(answers)).up() as origin:
        await checked(origin, check_key="Tom")
        await checked(origin, check_key="Alice")
        with pytest.raises(InvalidSource, match="the source answers 400") as refused:
            await checked(origin, check_key="Jack")
        assert refused.value.setting == "check_key"
        with pytest.raises(InvalidSource, match="no URL's path can name it"):
            await checked(origin, check_key="..")


async def test_a_source_that_can_not_answer_now_fails_the_check_for_now() -> None:
    async with HttpOrigin(always(response(503))).up() as origin:
        with pytest.raises(SourceUnavailable, match="503"):
            await checked(origin)


async def test_a_redirect_to_a_login_elsewhere_is_the_urls_fault() -> None:
    login = response(302, b"", "Location: https://login.example.com/")
    async with HttpOrigin(always(login)).up() as origin:
        with pytest.raises(InvalidSource, match="redirects") as refused:
            await checked(origin)
    assert refused.value.setting == "url"


async def test_a_source_that_drips_fails_the_check_in_time() -> None:
    async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with HttpOrigin(drip).up() as origin, asyncio.timeout(3):
        with pytest.raises(SourceUnavailable, match="gave no answer in time"):
            await checked(origin, read_timeout="100ms", connect_timeout="100ms")


async def test_nothing_of_it_is_logged_and_no_secret_is_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets = {"username": "hunter2", "password": "hunter2", "headers": {"X-Key": "hunter2"}}
    async with HttpOrigin(always(response(200, b"630"))).up() as origin:
        url = f"http://{HOST}:{origin.port}/users/{{key}}?api_key=hunter2"
        retriever = opened(url=url, allow_private=True, **secrets)
        async with contextlib.aclosing(retriever):
            with caplog.at_level(logging.DEBUG):
                await retriever.retrieve("Tom")
                origin.handler = always(response(500))
                with pytest.raises(SourceUnavailable) as failed:
                    await retriever.retrieve("Tom")
    assert "api_key=hunter2" in origin.asked[0].target
    assert "hunter2" not in caplog.text + str(failed.value)


def test_a_table_shows_no_secret() -> None:
    source = HttpSource(
        url=SecretStr("http://h/{key}?k=hunter2"),
        headers={"X": SecretStr("hunter2")},
        token=SecretStr("hunter2"),
    )
    assert "hunter2" not in repr(source) + str(source) + source.model_dump_json()
