"""What all connections of a server share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cache_core.connection_limit import ConnectionLimit
from cache_core.connection_memory import ConnectionMemory
from gateway.http import problems
from gateway.http.budget import Budget
from gateway.http.fields import Headers, lines
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.http.request_head import shortened
from gateway.http.response_head import STATUS_LINES
from gateway.lane.answer import CLOSE
from gateway.lane.lane import Lane
from gateway.middleware.answered import Answered

_URI_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """What all connections of a server share.

    `limit` says how many there may be, `memory` is what they have not sent yet, `budget` what large
    answers take that are being made. `lost` is set when one has ended. `answered` counts refusals.
    `on_refusal` returns the headers that a refusal has beside its own, by those of the request.
    Without `lane` all requests are the app's.
    """

    limits: Limits
    limit: ConnectionLimit
    budget: Budget
    memory: ConnectionMemory
    lost: asyncio.Event
    answered: Answered
    lane: Lane | None = None
    on_refusal: Callable[[Headers], Headers] = lambda _: ()

    def refusal(self, refused: Refused, target: bytes, headers: Headers, said: Headers) -> bytes:
        """Return the last answer of a connection.

        The request, as far as it has come, has this `target` and these `headers`; `said` are the
        server's own. It makes no line in the log, because anybody can send garbage.
        """
        path = target.partition(b"?")[0]
        response = problems.answer(refused, shortened(quote(path, safe=_URI_CHARACTERS)))
        own = lines((*said, *response.raw_headers, *self.on_refusal(headers)))
        status_line = STATUS_LINES[response.status_code]
        return b"".join((status_line, own, CLOSE, b"\r\n", response.body))
