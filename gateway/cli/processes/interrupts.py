"""Ctrl-C while modules are imported."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
"""The exit status after a Ctrl-C: 128 and the number of SIGINT, as shells have it."""


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
