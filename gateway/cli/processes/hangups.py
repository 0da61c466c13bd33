"""SIGHUP: a wish to reload, or the end of the terminal that a command runs in."""

import asyncio
import os
import signal
from collections.abc import Callable


def on_hangup(*, reload: Callable[[], object], gone: Callable[[], object]) -> None:
    """Call `reload`, or `gone`, in the running loop on each SIGHUP from now on.

    `gone` is called where the process had a terminal and now has none, because a shell sends the
    same signal when its window closes. Where SIGHUP was ignored until now, as under `nohup`,
    `reload` is called always.
    """
    had_terminal = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def handle() -> None:
        if had_terminal and not _has_terminal():
            gone()
        else:
            reload()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, handle)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
