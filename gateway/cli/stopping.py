"""When a serving process ends: on a signal, or with the process that started it."""

import asyncio
import signal
import sys

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def stop_requested(*, supervised: bool = False) -> None:
    """Return at the first SIGINT or SIGTERM; a second one ends the process at once.

    A `supervised` process also stops when its standard input closes, as it does when its
    supervisor dies, however it dies.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    input_closed = asyncio.create_task(_input_closed()) if supervised else None
    if input_closed is not None:
        input_closed.add_done_callback(lambda _: stop.set())
    try:
        await stop.wait()
    finally:
        if input_closed is not None:
            input_closed.cancel()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)


async def _input_closed() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()
