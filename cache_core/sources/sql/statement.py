"""A query's text taken apart: where `:key` is the parameter, and where it is mere text. Pure.

In quotes and in comments, `:key` stays mere text. Otherwise a driver that puts values into the text
would paste a key there, and the key could then end the quotes.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from cache_core.loading.retriever import InvalidSource

_PLAIN_QUOTED: Final = (r"'(?:[^']|'')*(?:'|\Z)", r'"(?:[^"]|"")*(?:"|\Z)')
_ESCAPED_QUOTED: Final = (
    r"'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)",
    r'"(?:[^"\\]|\\.|"")*(?:"|\\?\Z)',
)
_ENDINGS: Final = "; \t\r\n\f\v"
_BACKTICKS: Final = r"`(?:[^`]|``)*(?:`|\Z)"
_BLOCK: Final = r"/\*.*?(?:\*/|\Z)"


def _tokens(*, quoted: tuple[str, ...], comments: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern that finds comments, quoted text, `::` and parameters.

    A comment or a quoted text that is not closed goes on to the end of the query.
    """
    return re.compile(
        rf"(?P<comment>{'|'.join(comments)})|(?P<quoted>{'|'.join(quoted)})"
        r"|::|(?<![:\w]):(?P<name>\w+)",
        re.DOTALL,
    )


_MYSQL: Final = _tokens(
    quoted=(*_ESCAPED_QUOTED, _BACKTICKS), comments=(r"--(?!\S)[^\n]*", r"#[^\n]*", _BLOCK)
)
_TOKENS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "mysql": _MYSQL,
        "mariadb": _MYSQL,
        "sqlite": _tokens(
            quoted=(*_PLAIN_QUOTED, _BACKTICKS, r"\[[^\]]*(?:\]|\Z)"),
            comments=(r"--[^\n]*", _BLOCK),
        ),
    }
)
_POSTGRES: Final = _tokens(
    quoted=(
        r"(?<!\w)[eE]" + _ESCAPED_QUOTED[0],
        *_PLAIN_QUOTED,
        r"(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)",
    ),
    comments=(r"--[^\n]*", _BLOCK),
)


class Statement(NamedTuple):
    """A query in `pieces`, between which its parameter stands.

    Each piece is fit for SQLAlchemy's text(). Semicolons and comments at the query's end are gone.
    """

    pieces: tuple[str, ...]

    def numbered(self, number: int) -> str:
        """Return the query with its parameter named `:key_{number}`."""
        return f":key_{number}".join(self.pieces)


def parse(query: str, backend: str) -> Statement:
    """Return `query` taken apart as a `backend` reads it, such as mysql. Raises InvalidSource."""
    tokens = list(_TOKENS.get(backend, _POSTGRES).finditer(query))
    query = _without_end(query, tokens)
    keys = [token for token in tokens if token["name"] == "key"]
    others = {token["name"] for token in tokens} - {None, "key"}
    _check(keys, others, hides_key=any(":key" in token[0] for token in tokens))
    starts = (0, *(key.end() for key in keys))
    ends = (*(key.start() for key in keys), len(query))
    # text() would take colons for parameters of its own.
    pieces = (query[start:end] for start, end in zip(starts, ends, strict=True))
    return Statement(tuple(piece.replace(":", r"\:") for piece in pieces))


def _without_end(query: str, tokens: Iterable[re.Match[str]]) -> str:
    """Return the query up to the semicolons and comments at its end."""
    end = len(query.rstrip(_ENDINGS))
    for token in reversed(list(tokens)):
        if token["comment"] is None or token.end() < end:
            break
        end = len(query[: token.start()].rstrip(_ENDINGS))
    return query[:end]


def _check(keys: Collection[object], others: Collection[str], *, hides_key: bool) -> None:
    words = "the query's one parameter should be :key, it has "
    if others:
        raise InvalidSource("query", words + ", ".join(f":{name}" for name in sorted(others)))
    if hides_key and not keys:
        raise InvalidSource("query", f"{words}it only in quotes or comments: leave the quotes out")
    if not keys:
        raise InvalidSource("query", f"{words}none")
