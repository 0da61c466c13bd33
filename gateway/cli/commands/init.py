"""`gaocache init`: a config for a database's tables."""

import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cache_core.errors import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from gateway.cli.failure import Failure
from gateway.cli.options.shared import check_text

if TYPE_CHECKING:
    from cache_core.sources.sql.inspection import Found


def init(
    database_url: Annotated[
        str,
        typer.Argument(
            metavar="DATABASE_URL",
            envvar="DATABASE_URL",
            help="sqlite:///file.db, postgresql://user:password@host/database, or mysql:// or "
            "mariadb:// likewise.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The config to write.")
    ] = Path("gaocache.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Look a database over and write a config with a group for each table with a primary key.

    Examples:
      gaocache init sqlite:///shop.db

      gaocache init postgresql://shop:secret@localhost/shop --output shop.toml

    """
    # No other command should wait for SQLAlchemy to be imported.
    from cache_core.sources.sql.connection.url import parse_url  # noqa: PLC0415 - as just said
    from cache_core.sources.sql.inspection import look_over  # noqa: PLC0415 - as just said
    from gateway.cli.draft import config_text, config_url  # noqa: PLC0415 - as just said

    check_text("DATABASE_URL", database_url)
    if output.exists() and not force:
        raise Failure(f"{output} exists; overwrite it with --force, or name another by --output")
    here = Path.cwd()
    try:
        with Console(stderr=True).status("Looking the database over"):
            found = asyncio.run(look_over(database_url, folder=here))
        url = parse_url(database_url)
    except InvalidSource as error:
        raise Failure(f"DATABASE_URL: {error}") from error
    except SourceUnavailable as error:
        raise Failure(f"{error}; is it running, and reachable from here?") from error
    if not found.groups:
        raise Failure("the database has no table that could be a group" + _reasons(found))
    has_password = url.password is not None
    folder = output.absolute().parent
    text = config_text(found, config_url(url, here, folder), has_password=has_password)
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"can't write {output}: {error.strerror}; choose another --output") from error
    _tell(found, output, has_password=has_password)


def _reasons(found: "Found") -> str:
    return "".join(f"; {table}: {why}" for table, why in found.left_out)


def _tell(found: "Found", output: Path, *, has_password: bool) -> None:
    from gateway.cli.draft import PASSWORD_VARIABLE, curl, printable  # noqa: PLC0415 - as above

    typer.secho(f"{output} is ready", fg="green", bold=True, nl=False)
    count = len(found.groups)
    print(f", with {count} group{'s'[: count != 1]}:\n")
    for proposed in found.groups:
        key = proposed.source.key_separator.join(proposed.source.key_column or ())
        print(f"  {printable(proposed.name)}  by {printable(key)}")
    if found.left_out:
        print()
    for table, why in found.left_out:
        print(f"Left out: {printable(table)}, {printable(why)}.")
    if has_password:
        print("\nThe password is not in it. Have it in the environment, as it stands in the URL")
        print("(percent-encoded):\n")
        print(f"  export {PASSWORD_VARIABLE}=...")
    print("\nTry:\n")
    print(f"  {shlex.join(['gaocache', 'up', '--config', str(output)])}")
    print(f"  {curl(found.groups[0])}")
    sys.stdout.flush()
