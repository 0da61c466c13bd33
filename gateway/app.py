"""The gateway as a FastAPI app."""

import functools
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from cache_core.client.client import Client
from cache_core.errors import CacheError
from gateway.http import problems
from gateway.http.addressing import MalformedTarget
from gateway.http.budget import Budget
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.middleware.defaults import Defaults
from gateway.middleware.foreign_pages import ForeignPages
from gateway.middleware.hang_up import HangUp
from gateway.middleware.options import FILES_ALLOW, Options, allowed
from gateway.middleware.raw_target import RawTarget
from gateway.middleware.served_hosts import ServedHosts
from gateway.middleware.shares import Shares
from gateway.middleware.tracing import Tracing
from gateway.openapi.document import TAGS, document
from gateway.routes import batch, cluster, groups, health, keys, landing, removal
from gateway.routes.docs import add_docs
from gateway.survey.gateway_figures import GatewayFigures

DESCRIPTION: Final = """\
Slow sources sit behind named *groups* of keys. The first get of a key loads it from the
group's source, once however many ask; later gets are answered from memory.

Every error is a problem document (RFC 9457) with a stable `reason`. `HEAD` is answered with the
headers of a `GET`. Of several forms `Accept` chooses, quality values honoured.
"""


def create_app(
    client: Client,
    *,
    limits: Limits | None = None,
    hosts: Hosts | None = None,
    budget: Budget | None = None,
    removing_origins: Collection[str] = (),
    is_draining: Callable[[], bool] = lambda: False,
    figures: Callable[[], Awaitable[GatewayFigures]] | None = None,
) -> FastAPI:
    """Return the app that gets keys through `client`, within `limits`, for any of `hosts`.

    Bodies, batches and large answers are part of `budget`, of its own where there is none. Pages of
    `removing_origins` may remove; those of other origins than its own may not.
    While `is_draining()` is true, it answers `/readyz` with 503. `figures` returns the gateway's
    own figures; without it they are all 0, of one worker. The caller closes the client.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="GaoCache",
        version=version("gaocache"),
        summary="A read-through cache that you can curl.",
        description=DESCRIPTION,
        contact={"name": "The GaoCache maintainers"},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "The gateway that serves this document."}],
        openapi_tags=TAGS,
        routes=_routes(client, limits, is_draining, figures or _uncounted),
        redirect_slashes=False,
        openapi_url=None,  # FastAPI's own route would make the document in the event loop
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = functools.cache(functools.partial(document, app))  # type: ignore[method-assign] # FastAPI's documented way
    app.state.limits = limits
    for inner in (Options, Tracing, HangUp):
        app.add_middleware(inner)
    app.add_middleware(RawTarget, max_bytes=limits.target_bytes)
    app.add_middleware(Shares, budget=budget or Budget(limits.request_memory))
    app.add_middleware(ForeignPages, allowed=removing_origins)
    app.add_middleware(ServedHosts, hosts=hosts or Hosts())
    app.add_middleware(Defaults)
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


async def _uncounted() -> GatewayFigures:
    return GatewayFigures(1, (), {})


def _routes(
    client: Client,
    limits: Limits,
    is_draining: Callable[[], bool],
    figures: Callable[[], Awaitable[GatewayFigures]],
) -> list[BaseRoute]:
    """Return the routes of all resources, which the app takes as its own.

    Their routers are not included in the app, because FastAPI makes each route of an included
    router once more, while the first request waits, and looks through both for every request.
    """
    return [
        *landing.router(client).routes,
        *keys.router(client, limits).routes,
        *batch.router(client, limits).routes,
        *removal.router(client, limits).routes,
        *groups.router(client, limits).routes,
        *cluster.router(client, figures).routes,
        *health.router(client, limits, is_draining).routes,
    ]


async def _answer_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        error.headers = {**(error.headers or {}), "Allow": allowed(request.scope) or FILES_ALLOW}
    private = "authorization" in request.headers
    return problems.answer(error, request.scope["path"], private=private)
