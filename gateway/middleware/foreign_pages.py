"""Pages of other origins remove nothing, unless a setting says that they may."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http import problems
from gateway.http.problems import Refused
from gateway.middleware.raw_target import raw_path

_FOREIGN: Final = frozenset({"cross-site", "same-site"})
"""What Sec-Fetch-Site says of other origins (Fetch metadata, section 2.4)."""

_REMOVES: Final = frozenset({"DELETE"})


class ForeignPages:
    """ASGI middleware that answers 403 to removals by pages of origins that are not `allowed`.

    Browsers ask before they send such a request (a preflight). This holds for one that does not.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["method"] in _REMOVES and self._is_foreign(Headers(scope=scope)):
            refused = origin_not_allowed()
            await problems.answer(refused, raw_path(scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        is_allowed = "*" in self._allowed or headers.get("origin") in self._allowed
        sites = ",".join(headers.getlist("sec-fetch-site")).lower().split(",")
        return not _FOREIGN.isdisjoint(map(str.strip, sites)) and not is_allowed


def origin_not_allowed() -> Refused:
    """Return the refusal (403) of a removal by a page that may not remove."""
    words = "pages of this origin may not remove, cors_origins and cors_removal say which do"
    return Refused(403, "origin-not-allowed", words)
