"""An API behind a group: what its answers say of themselves is what the group goes by."""

import asyncio
import contextlib
from pathlib import Path

from fakes import FakeClock
from pydantic import SecretStr
from sources.http_origin import HOST, Asked, HttpOrigin, response

from cache_core import Answer, Group, GroupSettings
from cache_core.sources.http.retriever import HttpRetriever
from cache_core.sources.http.settings import HttpSource


async def test_what_has_expired_is_asked_about_and_renewed_where_it_has_not_changed(
    clock: FakeClock,
) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = 'ETag: "1"', "Cache-Control: max-age=60", "Age: 10", "Content-Type: text/plain"
        unchanged = asked.headers.get("if-none-match") == '"1"'
        writer.write(response(304, b"", *lines) if unchanged else response(200, b"630", *lines))

    async with HttpOrigin(answer).up() as origin:
        url = SecretStr(f"http://{HOST}:{origin.port}/users/{{key}}")
        source = HttpSource(url=url, cache_control=True, allow_private=True)
        settings = GroupSettings(jitter=0, ttl=1, stale_if_error=600)
        retriever = HttpRetriever(source, folder=Path())
        async with contextlib.aclosing(Group("g", retriever, settings, clock=clock)) as group:
            for seconds, answered in [(0, Answer.MISS), (49, Answer.HIT), (2, Answer.MISS)]:
                clock.tick(seconds)
                value = await group.get("Tom")
                assert (value.data, value.answer) == (b"630", answered)
                assert value.terms.content_type == "text/plain"
            assert value.ttl == 50
    assert [asked.headers.get("if-none-match") for asked in origin.asked] == [None, '"1"']
