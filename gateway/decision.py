"""How a get is answered once its value is known: decided here, done by the route. Pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from cache_core.value import Value
from gateway import caching, compression, conditional, ranges
from gateway.addressing import Target
from gateway.compression import IDENTITY
from gateway.conditional import Verdict
from gateway.problems import Refused
from gateway.representation import NotAcceptable, Representation, Wish, represent

_ALWAYS: Final[Mapping[str, str]] = {
    "Vary": "Accept, Accept-Encoding",
    "Content-Security-Policy": "sandbox",  # a value is stored content, never a page of ours
}
_RAW: Final[Mapping[str, str]] = {**_ALWAYS, "Accept-Ranges": "bytes"}
_ATTACHMENT: Final[Mapping[str, str]] = {"Content-Disposition": "attachment"}


class Get(NamedTuple):
    """A GET, or a HEAD, of `target`; `fields` are the request's, by their names in lower case."""

    target: Target
    wish: Wish
    fields: Mapping[str, str]
    is_head: bool = False


class Decision(NamedTuple):
    """What to answer: the status, all headers and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def decide(get: Get, value: Value) -> Decision:
    """Return the answer to `get` with `value`.

    In the order of RFC 9110, section 13.2.2: preconditions, then ranges. Raises Refused (406,
    412, 416).
    """
    try:
        form = represent(get.wish, *get.target, value)
    except NotAcceptable as error:
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", str(error)) from error
    freshness = caching.of_value(value, private="authorization" in get.fields)
    return decide_form(form, freshness, get.fields, is_head=get.is_head)


def decide_form(
    form: Representation,
    freshness: Mapping[str, str],
    fields: Mapping[str, str],
    *,
    is_head: bool,
) -> Decision:
    """Return the answer with `form` to a request with `fields`; `freshness` are its headers of it.

    Raises as `decide` does, but for the form.
    """
    coding, part, etag = _select(form, fields, is_head=is_head)
    verdict = conditional.judge(fields, etag)
    if verdict is Verdict.FAILED:
        words = "If-Match does not name the value's ETag"
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "precondition-failed", words)
    headers = {
        **(_RAW if form.is_raw else _ALWAYS),
        "ETag": etag,
        **freshness,
    }
    if verdict is Verdict.NOT_MODIFIED:
        return Decision(HTTPStatus.NOT_MODIFIED, headers, b"")
    headers["Content-Type"] = form.content_type
    if form.is_attachment:
        headers.update(_ATTACHMENT)
    if part is not None:
        return _partial(form.body, part, headers)
    return _whole(compression.compress(coding, form.body), coding, headers, is_head=is_head)


def _select(
    form: Representation, fields: Mapping[str, str], *, is_head: bool
) -> tuple[str, range | None, str]:
    """Return the content coding, the part asked for or None for the whole, and the ETag."""
    accepted = fields.get("accept-encoding")
    digest = conditional.digest(form.content_type, form.body)
    plain = conditional.entity_tag(digest, IDENTITY)
    part = None if is_head else _part(form, fields, plain)
    # A part of a coded form could not be read, so a part is of the plain bytes or not at all.
    if part is not None and compression.accepts_identity(accepted):
        return IDENTITY, part, plain
    coding = compression.choose(accepted, form.content_type, len(form.body))
    if coding is None:
        *others, last = compression.CODINGS
        words = f"there is {', '.join(others)} and {last}"
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", words)
    return coding, None, conditional.entity_tag(digest, coding)


def _part(form: Representation, fields: Mapping[str, str], etag: str) -> range | None:
    field = fields.get("range")
    if field is None or not form.is_raw:
        return None
    if not conditional.range_holds(fields.get("if-range"), etag):
        return None
    return ranges.select(field, len(form.body))


def _partial(body: bytes, part: range, headers: dict[str, str]) -> Decision:
    content_range = ranges.content_range(part, len(body))
    if not part:
        words = f"the value has {len(body)} bytes"
        raise Refused(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "range-not-satisfiable",
            words,
            headers={"Content-Range": content_range, "Accept-Ranges": "bytes"},
        )
    headers["Content-Range"] = content_range
    headers["Content-Length"] = str(len(part))
    return Decision(HTTPStatus.PARTIAL_CONTENT, headers, body[part.start : part.stop])


def _whole(body: bytes, coding: str, headers: dict[str, str], *, is_head: bool) -> Decision:
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
    headers["Content-Length"] = str(len(body))
    return Decision(HTTPStatus.OK, headers, b"" if is_head else body)
