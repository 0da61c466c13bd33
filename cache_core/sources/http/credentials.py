"""The headers that every request to a source has, checked before any is sent.

RFC 9110, sections 5.1 and 5.5 (names and values); RFC 7617 (basic); RFC 6750 (bearer).
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from cache_core.loading.retriever import InvalidSource
from cache_core.sources.http.settings import HttpSource

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "if-match"}
    | {"if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive"}
    | {"range", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade"}
)
"""The headers of a request's framing, its conditions and its trace: a config may not set them."""


def standing_fields(source: HttpSource) -> list[tuple[str, str]]:
    """Return the names and values of the headers for every request. Raises InvalidSource."""
    fields = [*_given(source), *_authorization(source)]
    names = [name.lower() for name, _ in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidSource("headers", f"{twice} is given more than once")
    defaults = {"Accept": "*/*", "User-Agent": "gaocache"}
    unset = [(name, value) for name, value in defaults.items() if name.lower() not in names]
    return unset + fields


def credential_setting(source: HttpSource) -> str:
    """Return the setting to look at where the source refuses the credentials."""
    if source.token is not None:
        return "token"
    return "headers" if source.username is None else "password"


def _given(source: HttpSource) -> Iterator[tuple[str, str]]:
    for name, secret in source.headers.items():
        if not _NAME.fullmatch(name):
            raise InvalidSource("headers", f"{name} is no name of a header")
        if name.lower() in _OURS:
            raise InvalidSource("headers", f"{name} is not to be set, GaoCache sends its own")
        yield name, _checked("headers", f"the value of {name}", secret.get_secret_value())


def _authorization(source: HttpSource) -> Iterator[tuple[str, str]]:
    if source.token is not None:
        if source.username is not None or source.password is not None:
            raise InvalidSource("token", "there is a username or password too, give one kind")
        token = _checked("token", "it", source.token.get_secret_value())
        yield "Authorization", f"Bearer {token}"
    elif source.username is not None:
        user = source.username.get_secret_value()
        if ":" in user:
            raise InvalidSource("username", "it should have no colon")
        password = "" if source.password is None else source.password.get_secret_value()
        yield "Authorization", f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    elif source.password is not None:
        raise InvalidSource("password", "it needs a username")


def _checked(setting: str, what: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        words = "printable ASCII without spaces or line breaks at its ends"
        raise InvalidSource(setting, f"{what} should be {words}")
    return value
