"""Requests are answered only where they name a host that the gateway serves."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http import problems
from gateway.http.hosts import Hosts, host_not_served
from gateway.http.request_head import shortened
from gateway.middleware.raw_target import raw_path


class ServedHosts:
    """ASGI middleware that answers 421 to a request for a host that is not one of `hosts`."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        host = Headers(scope=scope).get("host", "")
        if self._hosts.serve(host):
            await self._app(scope, receive, send)
            return
        refused = host_not_served(host)
        await problems.answer(refused, shortened(raw_path(scope)))(scope, receive, send)
