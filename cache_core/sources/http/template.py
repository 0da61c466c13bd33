"""The URL that asks for a key, and where a redirect leads. Knows no connections.

RFC 3986: percent-encoding (section 2), dot segments (5.2.4), references (5.2).
"""

import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from cache_core.loading.retriever import InvalidSource

PLACEHOLDER: Final = "{key}"
EXAMPLE: Final = "it should be like https://api.example.com/users/{key}"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_KEPT: Final = "/?:@!$&'()*+,;=%~"
"""The characters kept as they are in a URL's own text; in a key, all but `~` are encoded."""
_HOST: Final = re.compile(r"[a-z0-9_.:-]+")
_PARTS: Final = re.compile(r"[/\\]")


class UrlOrigin(NamedTuple):
    """A scheme, a host and a port; the host in ASCII, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: SplitResult) -> "UrlOrigin":
        """Return the origin of an http or https URL. Raises ValueError."""
        host = (url.hostname or "").encode("idna").decode()
        if url.scheme not in DEFAULT_PORTS or not _HOST.fullmatch(host):
            raise ValueError("no http or https URL with a host")
        return cls(url.scheme, host, url.port or DEFAULT_PORTS[url.scheme])

    @property
    def authority(self) -> str:
        """The host, and the port where it isn't the scheme's own, as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def follow(self, target: str, location: str) -> str | None:
        """Return the target that `location` names, read at `target`; None if at another origin.

        `location` is a header's value, with a character for each of its bytes. None is also
        returned where it is no URL.
        """
        try:
            url = urlsplit(urljoin(f"{self.scheme}://{self.authority}{target}", location))
            if UrlOrigin.of(url) != self:
                return None
        except ValueError:
            return None
        return quote(_target(url).encode("latin-1"), safe=_KEPT)


class UrlTemplate:
    """The URL `text`, in which `{key}` stands for a key: in the path or in values of the query.

    Raises InvalidSource, whose words repeat nothing of the URL.
    """

    def __init__(self, text: str) -> None:
        if not text.isprintable():
            raise InvalidSource("url", f"it has characters that no URL has, {EXAMPLE}")
        try:
            url = urlsplit(text)
            self.origin = UrlOrigin.of(url)
        except ValueError:
            raise InvalidSource("url", EXAMPLE) from None
        _check(url)
        self._path = url.path
        self._pieces = [quote(piece, safe=_KEPT) for piece in _target(url).split(PLACEHOLDER)]

    def target(self, key: str) -> str | None:
        """Return the path and query that ask for `key`; None where no path can name it.

        The key stays within its segment or value, because all but letters, digits and `-._~` is
        encoded. No path can name a key that would make a segment `.` or `..`, by itself or behind a
        slash: servers and the proxies before them would decode it, and then leave the path.
        """
        parts = _PARTS.split(self._path.replace(PLACEHOLDER, key))
        if "." in parts or ".." in parts:
            return None
        return quote(key, safe="").join(self._pieces)


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _check(url: SplitResult) -> None:
    if url.username is not None:
        raise InvalidSource("url", "it should have no credentials, use username and password")
    if url.fragment:
        raise InvalidSource("url", "it should have no fragment, which no server gets to see")
    names = [field.partition("=")[0] for field in url.query.split("&")]
    target = _target(url)
    if any(PLACEHOLDER in name for name in names):
        raise InvalidSource("url", "{key} should be in its path, or in a value of its query")
    if PLACEHOLDER not in target:
        raise InvalidSource("url", f"it has no {{key}}, {EXAMPLE}")
    if set("{}") & set(target.replace(PLACEHOLDER, "")):
        raise InvalidSource("url", "its one placeholder should be {key}, a brace is %7B or %7D")
    if {".", ".."} & set(url.path.split("/")):
        raise InvalidSource("url", "its path should have no . or .. in it")
