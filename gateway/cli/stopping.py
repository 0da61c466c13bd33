"""When a serving process ends: on a signal, or with the process that started it."""

import asyncio
import os
import signal
import sys
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def stop_event(*, supervised: bool = False) -> asyncio.Event:
    """Return an event of the running loop, set by the first SIGINT or SIGTERM from now on.

    A second signal ends the process at once. A `supervised` process also stops when its
    standard input closes, as it does when its supervisor dies, however it dies.
    """
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def stop() -> None:
        event.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    def read_input() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            event.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    if supervised:
        stdin = sys.stdin.fileno()
        loop.add_reader(stdin, read_input)
    return event
