"""A real HTTP API, which wants a password."""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

from pydantic import SecretStr
from sources.http_origin import HOST, Asked, HttpOrigin, response

from cache_core.sources.http.settings import HttpSource

SECRET = "hunter2-and-more"


class HttpRig:
    """`/things/KEY?pass=…` behind basic authentication; its other paths tell what they shouldn't.

    Like many a server it takes a path apart only once it has decoded it.
    """

    secret = SECRET

    def __init__(self) -> None:
        self.origin = HttpOrigin(self._answer)
        self._things: dict[str, bytes] = {}

    @property
    def source(self) -> HttpSource:
        return self._with_password(SECRET)

    async def put(self, key: str, data: bytes) -> None:
        self._things[key] = data

    async def break_off(self) -> None:
        await self.origin.stop()

    async def mend(self) -> None:
        await self.origin.start()

    async def hang(self) -> None:
        self.origin.freeze()

    def wrong_password(self) -> HttpSource:
        return self._with_password(f"not {SECRET}")

    def _with_password(self, password: str) -> HttpSource:
        return HttpSource(
            url=SecretStr(f"http://{HOST}:{self.origin.port}/things/{{key}}?pass={SECRET}"),
            username=SecretStr("tom"),
            password=SecretStr(password),
            headers={"X-Secret": SecretStr(SECRET)},
            allow_private=True,
        )

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        expected = f"Basic {b64encode(f'tom:{SECRET}'.encode()).decode()}"
        if asked.headers.get("authorization") != expected:
            writer.write(response(401, b"who are you?"))
            return
        path, _, query = asked.target.partition("?")
        key = _resolved(unquote(path)).removeprefix("/things").lstrip("/")
        data = self._things.get(key)
        if query != f"pass={SECRET}" or data is None:
            writer.write(response(404, b"no such thing"))
        else:
            writer.write(response(200, data))


def _resolved(path: str) -> str:
    """Return `path` without dot segments."""
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == "..":
            parts = parts[: max(1, len(parts) - 1)]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@contextlib.asynccontextmanager
async def http(_: Path) -> AsyncIterator[HttpRig]:
    rig = HttpRig()
    async with rig.origin.up():
        yield rig
