"""The `gaocache` command: one file a subcommand."""

import sys
from typing import NoReturn

from gateway.cli.processes.importing import INTERRUPTED, importing


def main() -> NoReturn:
    """Run the command; a Ctrl-C ends it without a word, also while it is still being imported."""
    try:
        with importing():
            from gateway.cli.command import make_app, run  # noqa: PLC0415 - it takes time to import

            app = make_app(sys.argv[1:])
        status = run(app)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)
