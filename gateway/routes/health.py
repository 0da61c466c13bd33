"""`/livez` and `/readyz`: whether the process serves, and whether it should be sent requests."""

from collections.abc import Callable
from typing import Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cache_core.client.client import Client
from cache_core.errors import PeerUnavailable
from gateway.http.limits import Limits
from gateway.openapi.resources import ALIVE_RESPONSES, READY_RESPONSES

PATIENCE_SECONDS: Final = 0.8
"""The longest wait for a node: a Kubernetes probe gives up after one second by default."""


class Alive(BaseModel):
    """The process serves."""

    status: Literal["alive"] = Field(default="alive")


class Ready(BaseModel):
    """Requests can be answered."""

    status: Literal["ready"] = Field(default="ready")


def router(client: Client, limits: Limits, is_draining: Callable[[], bool]) -> APIRouter:
    """Return the routes that tell whether the process serves and whether a node can be reached."""
    routes = APIRouter(tags=["health"])
    patience = min(limits.timeout, PATIENCE_SECONDS)

    @routes.head("/livez", include_in_schema=False)
    @routes.get(
        "/livez",
        operation_id="get_liveness",
        summary="Whether the process serves",
        responses=ALIVE_RESPONSES,
    )
    async def get_liveness() -> Alive:
        """Answer, whatever the nodes do."""
        return Alive()

    @routes.head("/readyz", include_in_schema=False)
    @routes.get(
        "/readyz",
        operation_id="get_readiness",
        summary="Whether requests should be sent here",
        responses=READY_RESPONSES,
    )
    async def get_readiness() -> Ready:
        """Answer 200 where at least one node answers, and the gateway is not about to stop."""
        if is_draining():
            raise PeerUnavailable("the gateway is draining")
        await client.reach(timeout=patience)
        return Ready()

    return routes
