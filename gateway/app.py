"""The gateway as a FastAPI app."""

import functools
from importlib.metadata import version
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cache_core.client import Client
from cache_core.errors import CacheError
from gateway import openapi, problems
from gateway.addressing import MalformedTarget
from gateway.limits import Limits
from gateway.problems import Refused
from gateway.routes import keys
from gateway.routes.docs import add_docs

DESCRIPTION: Final = """\
Slow sources sit behind named *groups* of keys. The first get of a key loads it from the
group's source, once however many ask; later gets are answered from memory.

Every error is a problem document (RFC 9457) with a stable `reason`.
"""


class RawTarget:
    """ASGI middleware: routes see the path as it was sent, still encoded, and not too long.

    Servers decode `path` leniently (`%FF` becomes U+FFFD) and a decoded `%2F` would move the
    border between group and key.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its raw path, or answer 414."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        size = len(path) + len(scope["query_string"])
        if size > self._max_bytes:
            detail = f"the target has {size} bytes, the limit is {self._max_bytes}"
            refused = Refused(414, "target-too-long", detail)
            await problems.answer(refused, path[:64] + "…")(scope, receive, send)
            return
        await self._app({**scope, "path": path}, receive, send)


def create_app(client: Client, *, limits: Limits | None = None) -> FastAPI:
    """Return the gateway that gets keys through `client`, within `limits`.

    The caller closes the client.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="GaoCache",
        version=version("gaocache"),
        summary="A read-through cache that you can curl.",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[{"name": "keys", "description": "Values, read through the cache."}],
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = functools.cache(functools.partial(openapi.document, app))  # type: ignore[method-assign] # FastAPI's documented way
    app.add_middleware(RawTarget, max_bytes=limits.target_bytes)
    app.include_router(keys.router(client, limits))
    add_docs(app)
    for kind in (
        CacheError,
        Refused,
        MalformedTarget,
        RequestValidationError,
        HTTPException,
        Exception,
    ):
        app.add_exception_handler(kind, _answer_problem)
    return app


async def _answer_problem(request: Request, error: Exception) -> Response:
    return problems.answer(error, request.scope["path"])
