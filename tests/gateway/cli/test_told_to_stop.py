"""What tells a serving process to stop: the first signal, and the end of its input."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from gateway.cli.processes.stopping import SIGNALS, Stop


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The signals' handlers are afterwards what they were."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
async def test_the_first_signal_tells_and_the_second_ends_at_once(number: signal.Signals) -> None:
    stop = Stop()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(stop.told.wait(), 5)
    assert not stop.deserted.is_set()
    assert [signal.getsignal(each) for each in SIGNALS] == [signal.SIG_DFL, signal.SIG_DFL]


async def test_the_end_of_the_input_tells_that_the_supervisor_ends_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        stop = Stop(supervised=True)
        os.close(writing)
        await asyncio.wait_for(stop.told.wait(), 5)
        assert stop.deserted.is_set()
    for number in SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
