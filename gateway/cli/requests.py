"""Options of the gateway that say what requests may ask for, for it and for who starts it."""

import re
from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

import typer

from gateway.cli.options import MAX_SECONDS
from gateway.limits import Limits

DEFAULT_TIMEOUT: Final = Limits().timeout
DEFAULT_MAX_TIMEOUT: Final = Limits().max_timeout
ALL_ORIGINS: Final = "*"

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s,*]+")

RequestTimeoutOption: TypeAlias = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        envvar="GAOCACHE_TIMEOUT",
        min=0.001,
        max=MAX_SECONDS,
        help="How long an answer may take where the request does not say.",
    ),
]
MaxTimeoutOption: TypeAlias = Annotated[
    float,
    typer.Option(
        "--max-timeout",
        metavar="SECONDS",
        envvar="GAOCACHE_MAX_TIMEOUT",
        min=0.001,
        max=MAX_SECONDS,
        help="How long it may take whatever the request says.",
    ),
]
CorsOriginOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--cors-origin",
        metavar="ORIGIN",
        envvar="GAOCACHE_CORS_ORIGINS",
        help="Let a browser's pages of this origin, like https://app.example.com, read the "
        "answers; may be repeated; * is every origin.",
    ),
]


def parse_limits(timeout: float, max_timeout: float) -> Limits:
    """Return the limits with these times. Raises typer.BadParameter."""
    if timeout > max_timeout:
        words = f"it should be at least --timeout, {timeout:g}"
        raise typer.BadParameter(words, param_hint="'--max-timeout'")
    return Limits(timeout=timeout, max_timeout=max_timeout)


def check_origins(origins: Sequence[str]) -> None:
    """Raise typer.BadParameter where one of `origins` is none that a browser sends."""
    for origin in origins:
        if origin != ALL_ORIGINS and not _ORIGIN.fullmatch(origin):
            words = f"{origin!r} should be like https://app.example.com, in lower case, or *"
            raise typer.BadParameter(words, param_hint="'--cors-origin'")
