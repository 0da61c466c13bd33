"""A line in the log for each request."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("gaocache.access")


class AccessLog:
    """ASGI middleware that logs who asked for what, and the status, as each answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def logged_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                client = ":".join(map(str, scope["client"] or ()))
                query = scope["query_string"].decode("latin-1")
                target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
                logger.info(
                    '%s - "%s %s HTTP/%s" %d',
                    *(client, scope["method"], target, scope["http_version"], message["status"]),
                )
            await send(message)

        await self._app(scope, receive, logged_send)
