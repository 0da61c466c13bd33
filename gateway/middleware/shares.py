"""What each request holds of the bytes for all, until its answer is with its connection."""

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.budget import Budget, Share

_STATE: Final = "gaocache.share"


class Shares:
    """ASGI middleware that gives each request a share of `budget`, and takes it back at the end."""

    def __init__(self, app: ASGIApp, budget: Budget) -> None:
        self._app = app
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its share."""
        share = self._budget.share()
        try:
            await self._app({**scope, _STATE: share}, receive, send)
        finally:
            share.end()


def share_of(request: Request) -> Share:
    """Return the share of a request that came by Shares."""
    share: Share = request.scope[_STATE]
    return share
