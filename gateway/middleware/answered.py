"""The count of the requests that were answered, by the class of the status."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.survey.gateway_figures import ANSWERED, CLASSES, FiguresTable


class Answered:
    """A FiguresSource: the requests answered, by the class of the status."""

    def __init__(self) -> None:
        self._counts = [0] * len(CLASSES)

    def count(self, status: int) -> None:
        """Count one request that is answered with `status`, from 200 to 599."""
        self._counts[status // 100 - 2] += 1

    def __call__(self) -> FiguresTable:
        """Return the one table of counts."""
        return {ANSWERED: dict(zip(CLASSES, self._counts, strict=True))}


class Counted:
    """ASGI middleware that has `answered` count every answer as it begins."""

    def __init__(self, app: ASGIApp, answered: Answered) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def counted_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered.count(message["status"])
            await send(message)

        await self._app(scope, receive, counted_send)
