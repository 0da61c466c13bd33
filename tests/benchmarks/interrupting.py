"""A benchmark that is told to stop ends what it has started."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final, NoReturn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM unwind what runs in the `with`; it ends with 128 and their number.

    Python would leave a SIGINT ignored in a process that began so, as a shell begins what it puts
    into the background.
    """
    with contextlib.ExitStack() as afterwards:
        for number in SIGNALS:
            afterwards.callback(signal.signal, number, signal.signal(number, _unwind))
        yield


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
