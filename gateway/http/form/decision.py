"""The answer to a get once its value is known: decided here, sent by the route. Pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from cache_core.value import Value
from gateway.http import caching
from gateway.http.addressing import Target
from gateway.http.form import compression, conditional, ranges
from gateway.http.form.compression import IDENTITY
from gateway.http.form.conditional import Verdict
from gateway.http.form.representation import NotAcceptable, Representation, Wish, represent
from gateway.http.problems import Refused

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

    @property
    def is_private(self) -> bool:
        """Whether the answer may be kept for one user only."""
        return "authorization" in self.fields


class Decision(NamedTuple):
    """An answer that is to be sent: the status, all headers and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Kind(NamedTuple):
    """Properties that answers of a kind share, whatever their value; `coding` is the body's."""

    content_type: str
    is_raw: bool
    is_attachment: bool
    coding: str

    def begin(self, etag: str) -> dict[str, str]:
        """Return the headers that stand before those of the freshness."""
        return {**(_RAW if self.is_raw else _ALWAYS), "ETag": etag}

    def end(self) -> dict[str, str]:
        """Return the headers that stand behind them, without Content-Length."""
        end = {"Content-Type": self.content_type}
        if self.is_attachment:
            end.update(_ATTACHMENT)
        if self.coding != IDENTITY:
            end["Content-Encoding"] = self.coding
        return end


class Whole(NamedTuple):
    """A 200 with the whole value, without the headers of its freshness and Content-Length."""

    kind: Kind
    etag: str
    body: bytes


def decide(get: Get, value: Value) -> Decision:
    """Return the answer to `get` with `value`.

    Preconditions are judged before ranges (RFC 9110, section 13.2.2). Raises Refused (406, 412,
    416).
    """
    freshness = caching.of_value(value, private=get.is_private)
    return decide_form(_represent(get, value), freshness, get.fields, is_head=get.is_head)


def decide_whole(get: Get, value: Value) -> Whole:
    """Return the 200 to a GET that has no preconditions and no ranges. Raises Refused (406).

    It stays the same for as long as the value's bytes and declared type do.
    """
    form = _represent(get, value)
    coding = _coding(form, get.fields)
    tag = conditional.entity_tag(conditional.digest(form.content_type, form.body), coding)
    return Whole(_kind(form, coding), tag, compression.compress(coding, form.body))


def decide_form(
    form: Representation,
    freshness: Mapping[str, str],
    fields: Mapping[str, str],
    *,
    is_head: bool,
) -> Decision:
    """Return the answer with `form` to a request with `fields`; it has the `freshness` headers.

    Raises Refused (412, 416, and 406 where each content coding is refused).
    """
    coding, part, etag = _select(form, fields, is_head=is_head)
    verdict = conditional.judge(fields, etag)
    if verdict is Verdict.FAILED:
        raise precondition_failed()
    kind = _kind(form, coding)
    headers = {**kind.begin(etag), **freshness}
    if verdict is Verdict.NOT_MODIFIED:
        return Decision(HTTPStatus.NOT_MODIFIED, headers, b"")
    headers.update(kind.end())
    if part is not None:
        return _partial(form.body, part, headers)
    body = compression.compress(coding, form.body)
    headers["Content-Length"] = str(len(body))
    return Decision(HTTPStatus.OK, headers, b"" if is_head else body)


def precondition_failed() -> Refused:
    """Return the refusal (412) of a request whose If-Match names no ETag that there is."""
    words = "If-Match does not name the value's ETag"
    return Refused(HTTPStatus.PRECONDITION_FAILED, "precondition-failed", words)


def _represent(get: Get, value: Value) -> Representation:
    try:
        return represent(get.wish, *get.target, value)
    except NotAcceptable as error:
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", str(error)) from error


def _kind(form: Representation, coding: str) -> Kind:
    return Kind(form.content_type, form.is_raw, form.is_attachment, coding)


def _select(
    form: Representation, fields: Mapping[str, str], *, is_head: bool
) -> tuple[str, range | None, str]:
    """Return the content coding, the part asked for or None for the whole, and the ETag."""
    accepted = fields.get("accept-encoding")
    digest = conditional.digest(form.content_type, form.body)
    plain = conditional.entity_tag(digest, IDENTITY)
    part = None if is_head else _part(form, fields, plain)
    # A part of a coded body could not be decoded, so parts are of the plain bytes alone.
    if part is not None and compression.accepts_identity(accepted):
        return IDENTITY, part, plain
    coding = _coding(form, fields)
    return coding, None, conditional.entity_tag(digest, coding)


def _coding(form: Representation, fields: Mapping[str, str]) -> str:
    accepted = fields.get("accept-encoding")
    coding = compression.choose(accepted, form.content_type, len(form.body))
    if coding is None:
        *others, last = compression.CODINGS
        words = f"there is {', '.join(others)} and {last}"
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", words)
    return coding


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
