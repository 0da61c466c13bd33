"""The command: its subcommands, and errors as one line each."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from gateway.cli.check import check
from gateway.cli.cluster import cluster
from gateway.cli.failure import Failure
from gateway.cli.gateway import gateway
from gateway.cli.get import get
from gateway.cli.init import init
from gateway.cli.interrupts import INTERRUPTED
from gateway.cli.node import node
from gateway.cli.openapi import openapi
from gateway.cli.output import unwritten
from gateway.cli.removal import flush, rm
from gateway.cli.up import up

app = typer.Typer(
    name="gaocache",
    help="A read-through cache that you can curl: gRPC nodes behind an HTTP/JSON gateway.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, init, node, gateway, check, get, rm, flush, cluster, openapi):
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


def run() -> int:
    """Run the command that `sys.argv` names and return its exit status.

    Whatever goes wrong by the user's or a machine's doing is one line. Raises KeyboardInterrupt.
    """
    try:
        return _run_command()
    except Failure as failure:
        return _say(str(failure), failure.exit_status)
    except TyperException as error:
        words = error.format_message().removesuffix(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gaocache"
        return _say(f"{words}; see {command} --help" if words else "", error.exit_code)
    except Abort:
        return INTERRUPTED


def _run_command() -> int:
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except OSError as error:  # commands make a Failure of all others
        raise unwritten(error) from error
    return status if isinstance(status, int) else 0


def _say(line: str, exit_status: int) -> int:
    for part in line.splitlines():
        words = part if part.isprintable() else repr(part)[1:-1]
        print(f"gaocache: {words}", file=sys.stderr)
    return exit_status
