"""The beginning of an answer, its status line and headers, as bytes. Pure. RFC 9112, 4 and 5."""

import re
from http import HTTPStatus
from typing import Final

from gateway.http.fields import Headers, lines

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}

STATUS_LINES: Final = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}


def checked_lines(headers: Headers) -> bytes:
    """Return `headers` as the lines to send.

    Raises ValueError for a name or a value that would not be one line: what an app puts there must
    not be taken for lines of its own.
    """
    for name, value in headers:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name!r} has control characters")
    return lines(headers)
