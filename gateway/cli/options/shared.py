"""Options and arguments that several commands share."""

import logging
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import platformdirs
import typer

from cache_core.address import Address, InvalidAddress
from cache_core.config import LogLevel
from cache_core.config.fields import MAX_SECONDS
from cache_core.membership.membership import InvalidMembership
from cache_core.membership.url import open_membership

PEERS_VARIABLE: Final = "GAOCACHE_PEERS"
PEERS_FORMS: Final = (
    "static://a:8080,b:8080 (a list), dns://nodes:8080 (every address of a name) or "
    "etcd://etcd:2379/gaocache (a registry)."
)

DATA_DIR = platformdirs.user_data_path("gaocache", appauthor=False)


def parse_address(option: str, text: str) -> Address:
    """Return `text`, which `option` was given, as an address. Raises typer.BadParameter."""
    try:
        return Address.parse(text)
    except InvalidAddress as error:
        words = f"{error} (or name:port, or [IPv6]:port, the port at most 65535)"
        raise typer.BadParameter(words, param_hint=f"'{option}'") from error


def check_peers(text: str) -> None:
    """Raise typer.BadParameter where `text` names no cluster."""
    try:
        open_membership(text)
    except InvalidMembership as error:
        raise typer.BadParameter(str(error), param_hint="'--peers'") from error


def check_text(argument: str, text: str) -> None:
    """Raise typer.BadParameter where the shell handed over bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise typer.BadParameter("it should be UTF-8", param_hint=f"'{argument}'") from error


def set_up_logging(level: LogLevel) -> None:
    """Log to stderr: our own and uvicorn's lines from `level` on, other libraries' warnings."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    for name in ("gaocache", "uvicorn"):
        logging.getLogger(name).setLevel(level.value.upper())


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file with the groups and their sources, and what options don't say. Without "
        "it: the demo group `scores`, from files in the data directory.",
    ),
]
DataDirOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        envvar="GAOCACHE_DATA_DIR",
        help="Where the demo's files are made on first start; they are never overwritten.",
    ),
]
TimeoutOption: TypeAlias = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.001,
        max=MAX_SECONDS,
        help="How long an answer may take.",
    ),
]
SupervisedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--supervised",
        hidden=True,
        help="Print the address alone when ready, and stop when standard input closes.",
    ),
]
