"""Imports that take a while, as a command starts."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

from gateway.cli.processes.interrupts import interrupts_exit

YOUNG_OBJECTS: Final = 20_000
"""How many objects more than before make the collector look for garbage among the young ones. Its
default, 700 in CPython 3.11, is less than what the requests under way have: to look through those
each time, in vain, took a gateway 18 of 120 us a request with 100,000 keys."""


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Within it modules are imported, faster, and a Ctrl-C ends the process at once.

    After it the process looks for garbage only each YOUNG_OBJECTS.

    What modules make lives as long as the process. To look for garbage among it takes a fifth of
    the time; so that is put off, and what there is then is never looked at again.
    """
    with interrupts_exit():
        gc.disable()
        try:
            yield
            gc.freeze()
            gc.set_threshold(YOUNG_OBJECTS)
        finally:
            gc.enable()
