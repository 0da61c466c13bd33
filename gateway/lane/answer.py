"""The bytes of the answers to plain GETs, which `decision` and `problems` decide.

Lines that many answers share are made once: those of a value's own headers once a value, those of
its freshness once a second, and the server's once a second. Knows no sockets.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from cache_core.errors import CacheError
from cache_core.value import Value
from gateway.http import caching, problems
from gateway.http.caching import Lifetime
from gateway.http.fields import Headers, lines
from gateway.http.form.decision import Kind, Whole, decide_whole
from gateway.http.problems import Refused
from gateway.http.response_head import STATUS_LINES
from gateway.lane.request import PlainGet

CLOSE: Final = b"connection: close\r\n"
_END: Final = b"\r\n"
_OK: Final = 200
_FRESHNESS_KINDS: Final = 1024
_KINDS: Final = 256

_LEFT_OUT: Final = b"\0"


class AnswerForm(NamedTuple):
    """The parts of a value's answer that do not change with time.

    They are good for a value with the bytes `data` and the declared content type `declared`.
    `begin` and `end` are the lines before and behind those of its freshness.
    """

    data: bytes
    declared: str
    begin: bytes
    end: bytes
    body: bytes

    def is_of(self, value: Value) -> bool:
        """Tell whether `value` is answered in this form."""
        return self.data == value.data and self.declared == value.terms.content_type


class Writer:
    """Writes whole answers; `finish` returns an answer's headers with those that all have.

    `count` is told each answer's status. `said` are the server's own headers now, such as Date: a
    new sequence when one of them changes. With `close`, the answer says that the connection ends.
    """

    def __init__(self, finish: Callable[[Headers], Headers], count: Callable[[int], None]) -> None:
        self._finish = finish
        self._count = count
        self._said: Headers = ()
        self._lines = b""
        self._kinds: dict[Kind, tuple[bytes, bytes]] = {}
        self._freshness = functools.lru_cache(_FRESHNESS_KINDS)(_freshness_lines)

    def form(self, asked: PlainGet, value: Value) -> AnswerForm:
        """Return the form in which `asked` is answered with `value`. Raises Refused (406).

        It may be called in any thread.
        """
        whole = decide_whole(asked.get, value)
        begin, end = self._around(whole, value)
        return AnswerForm(value.data, value.terms.content_type, begin, end, whole.body)

    def with_value(
        self, form: AnswerForm, value: Value, *, said: Headers, close: bool
    ) -> tuple[bytes, bytes]:
        """Return the head and the body of the answer with `value`, whose form is `form`."""
        freshness = self._freshness(caching.freshness(value, private=False))
        end = CLOSE + _END if close else _END
        head = (STATUS_LINES[_OK], self._lines_of(said), form.begin, freshness, form.end, end)
        self._count(_OK)
        return b"".join(head), form.body

    def with_error(
        self, asked: PlainGet, error: CacheError | Refused, *, said: Headers, close: bool
    ) -> tuple[bytes, bytes]:
        """Return the head and the body of the answer to `asked`, which ended in `error`."""
        response = problems.answer(error, asked.path)
        own = lines(self._finish(response.raw_headers))
        end = CLOSE + _END if close else _END
        head = (STATUS_LINES[response.status_code], self._lines_of(said), own, end)
        self._count(response.status_code)
        return b"".join(head), bytes(response.body)

    def _lines_of(self, said: Headers) -> bytes:
        if said is not self._said:
            self._said, self._lines = said, lines(said)
        return self._lines

    def _around(self, whole: Whole, value: Value) -> tuple[bytes, bytes]:
        """Return the finished lines before and behind those of the freshness."""
        before, behind = self._kinds.get(whole.kind) or self._finished(whole.kind, value)
        return (
            before.replace(_LEFT_OUT, whole.etag.encode()),
            behind.replace(_LEFT_OUT, b"%d" % len(whole.body)),
        )

    def _finished(self, kind: Kind, value: Value) -> tuple[bytes, bytes]:
        left_out = _LEFT_OUT.decode()
        begin = encoded(kind.begin(left_out))
        end = encoded({**kind.end(), "Content-Length": left_out})
        freshness = encoded(caching.of_value(value, private=False))
        names = {name for name, _ in freshness}
        finished = self._finish([*begin, *freshness, *end])
        places = [place for place, (name, _) in enumerate(finished) if name in names]
        around = lines(finished[: places[0]]), lines(finished[places[-1] + 1 :])
        if len(self._kinds) < _KINDS:
            self._kinds[kind] = around
        return around


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return `headers` as Starlette hands them to a server."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]


def _freshness_lines(freshness: Lifetime) -> bytes:
    return lines(encoded(caching.headers(freshness)))
