"""Imports that take a while, as a command starts."""

import contextlib
import gc
from collections.abc import Iterator

from gateway.cli.interrupts import interrupts_exit


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Within it modules are imported, faster, and a Ctrl-C ends the process at once.

    What modules make lives as long as the process. To look for garbage among it takes a fifth of
    the time; so that is put off, and what there is then is never looked at again.
    """
    with interrupts_exit():
        gc.disable()
        try:
            yield
            gc.freeze()
        finally:
            gc.enable()
