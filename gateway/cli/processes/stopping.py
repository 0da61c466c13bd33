"""When a serving process ends: on a signal, or with the process that started it."""

import asyncio
import os
import signal
import sys
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Events of the running loop that tell the process to stop.

    `told` is set by the first SIGINT or SIGTERM from now on; a second ends the process at once.
    A `supervised` process is also told by its standard input, which closes when its supervisor
    ends all that it started, or dies, however it dies; then `deserted` is set as well.
    """

    def __init__(self, *, supervised: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.told = asyncio.Event()
        self.deserted = asyncio.Event()

        def stop() -> None:
            self.told.set()
            for number in SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL)

        def read_input() -> None:
            if not os.read(stdin, 4096):
                loop.remove_reader(stdin)
                self.told.set()
                self.deserted.set()

        for number in SIGNALS:
            loop.add_signal_handler(number, stop)
        if supervised:
            stdin = sys.stdin.fileno()
            loop.add_reader(stdin, read_input)
