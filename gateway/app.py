"""The gateway as a FastAPI app."""

import functools
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cache_core.client import Client
from cache_core.errors import CacheError
from gateway import openapi, problems
from gateway.addressing import MalformedTarget
from gateway.limits import Limits
from gateway.no_sniffing import NoSniffing
from gateway.problems import Refused
from gateway.raw_target import RawTarget
from gateway.routes import keys
from gateway.routes.docs import add_docs

DESCRIPTION: Final = """\
Slow sources sit behind named *groups* of keys. The first get of a key loads it from the
group's source, once however many ask; later gets are answered from memory.

Every error is a problem document (RFC 9457) with a stable `reason`.
"""


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
    app.add_middleware(NoSniffing)
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
