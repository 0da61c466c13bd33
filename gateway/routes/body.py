"""A request's body as the text of the JSON document that it should be."""

from typing import Final

from starlette.requests import ClientDisconnect, Request

from gateway.http.form.representation import JSON
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.middleware.shares import share_of

_PLAIN: Final = frozenset({"", "identity"})


async def read_json(request: Request, limits: Limits) -> str:
    """Return the body's text, which may be no JSON. Raises Refused (400, 413, 415, 499, 503)."""
    _check_kind(request)
    try:
        body = await _read(request, limits.body_bytes)
    except ClientDisconnect as error:
        raise Refused(499, "client-closed-request", "the client has hung up") from error
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        words = f"the body should be UTF-8, byte {error.start} is not"
        raise Refused(400, "invalid-encoding", words) from error


def _check_kind(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        words = f"the body should be {JSON}"
        raise Refused(415, "unsupported-media-type", words, headers={"Accept": JSON})
    if request.headers.get("content-encoding", "").strip().lower() not in _PLAIN:
        words = "the body should be sent without a Content-Encoding"
        headers = {"Accept-Encoding": "identity"}
        raise Refused(415, "unsupported-media-type", words, headers=headers)


async def _read(request: Request, limit: int) -> bytes:
    """Return the body, of which no more than `limit` bytes are ever held, as the request's share.

    Raises Refused (413, 503).
    """
    share = share_of(request)
    words = f"the body has more than {limit} bytes"
    if int(request.headers.get("content-length", "0")) > limit:
        raise Refused(413, "body-too-large", words)
    body = bytearray()
    async for part in request.stream():
        share.take(len(part))
        body += part
        if len(body) > limit:
            raise Refused(413, "body-too-large", words)
    return bytes(body)
