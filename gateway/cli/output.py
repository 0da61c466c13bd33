"""Standard output, which may be full or have no reader."""

import os
import sys
from pathlib import Path

from gateway.cli.failure import EXIT_UNWRITTEN, Failure


def write(data: bytes) -> None:
    """Write all of `data` to standard output. Raises Failure."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise unwritten(error) from error


def unwritten(error: OSError) -> Failure:
    """Return the failure for an output that can't be written to, and give that output up."""
    # The buffer's rest goes nowhere, or else the interpreter would fail at it once more, aloud.
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    words = f"can't write the output: {error.strerror or error}"
    return Failure(words, exit_status=EXIT_UNWRITTEN)
