"""The command: its subcommands, and errors as one line each."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final

import typer
from typer.exceptions import Abort, TyperException

from gateway.cli.failure import Failure
from gateway.cli.output import unwritten
from gateway.cli.processes.importing import INTERRUPTED

MODULES: Final = {
    "up": "up",
    "init": "init",
    "node": "node",
    "gateway": "gateway",
    "check": "check",
    "get": "get",
    "rm": "removal",
    "flush": "removal",
    "cluster": "cluster",
    "openapi": "openapi",
}
"""Each subcommand's module in `gateway.cli.commands`, in the order of the help."""


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - it takes 40 ms to import

        print(f"gaocache {version('gaocache')}")
        raise typer.Exit


def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before a subcommand."""


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """Return the command with the subcommand that `arguments` begin with, or else with all.

    Importing all of them takes half a second, and only help and mistakes need them.
    """
    app = typer.Typer(
        name="gaocache",
        help="A read-through cache that you can curl: gRPC nodes behind an HTTP/JSON gateway.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    first = arguments[0] if arguments else ""
    for name in [first] if first in MODULES else MODULES:
        app.command()(getattr(import_module(f"gateway.cli.commands.{MODULES[name]}"), name))
    return app


def run(app: typer.Typer) -> int:
    """Run the subcommand of `app` that `sys.argv` names and return its exit status.

    An error that the user or a machine has caused is printed without a traceback, one line for each
    mistake. Raises KeyboardInterrupt.
    """
    try:
        return _run_command(app)
    except Failure as failure:
        return _say(str(failure), failure.exit_status)
    except TyperException as error:
        words = error.format_message().removesuffix(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gaocache"
        return _say(f"{words}; see {command} --help" if words else "", error.exit_code)
    except Abort:
        return INTERRUPTED


def _run_command(app: typer.Typer) -> int:
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except OSError as error:  # the output can't be written: commands make a Failure of all others
        raise unwritten(error) from error
    return status if isinstance(status, int) else 0


def _say(line: str, exit_status: int) -> int:
    for part in line.splitlines():
        words = part if part.isprintable() else repr(part)[1:-1]
        print(f"gaocache: {words}", file=sys.stderr)
    return exit_status
