"""Imports that take a while, as a command starts."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

from gateway.cli.processes.interrupts import interrupts_exit

YOUNG_OBJECTS: Final = 20_000
"""How many objects more than before make the collector look for garbage among the young ones.

The default, 700 in CPython 3.11, is less than the number that the requests under way hold. Looking
through those each time, in vain, took a gateway 18 of 120 us a request with 100,000 keys.
"""


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Make the imports within this context faster, and a Ctrl-C there end the process at once.

    After it the process looks for garbage only each YOUNG_OBJECTS.

    Objects that modules make live as long as the process. Looking for garbage among them takes a
    fifth of the time of the imports. So it is put off, and the objects that exist at the end of the
    context are never looked at again.
    """
    with interrupts_exit():
        gc.disable()
        try:
            yield
            gc.freeze()
            gc.set_threshold(YOUNG_OBJECTS)
        finally:
            gc.enable()
