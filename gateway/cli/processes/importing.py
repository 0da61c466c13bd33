"""Imports that take a while, as a command starts, and a Ctrl-C meanwhile."""

import contextlib
import gc
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
"""The exit status after a Ctrl-C: 128 and the number of SIGINT, as shells have it."""

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


@contextlib.contextmanager
def interrupts_exit() -> Iterator[None]:
    """Make a Ctrl-C within this context end the process at once; only for the main thread.

    A KeyboardInterrupt won't do, because the module being imported may swallow it or print it.
    """
    previous = signal.signal(signal.SIGINT, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _exit(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
