"""The command's entry: its subcommands, and errors as one line each."""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from typer.exceptions import Abort, TyperException

from gateway.cli.failure import Failure
from gateway.cli.gateway import gateway
from gateway.cli.get import get
from gateway.cli.node import node
from gateway.cli.openapi import openapi
from gateway.cli.up import up

app = typer.Typer(
    name="gaocache",
    help="A read-through cache that you can curl: gRPC nodes behind an HTTP/JSON gateway.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, node, gateway, get, openapi):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gaocache {version('gaocache')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before a subcommand."""


def main() -> NoReturn:
    """Run the command; whatever goes wrong by the user's or a machine's doing is one line."""
    try:
        status = app(standalone_mode=False)
    except Failure as failure:
        sys.exit(_say(str(failure), failure.exit_status))
    except TyperException as error:
        words = error.format_message().removesuffix(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gaocache"
        sys.exit(_say(f"{words}; see {command} --help" if words else "", error.exit_code))
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _say(line: str, exit_status: int) -> int:
    for part in line.splitlines():
        words = part if part.isprintable() else repr(part)[1:-1]
        print(f"gaocache: {words}", file=sys.stderr)
    return exit_status
