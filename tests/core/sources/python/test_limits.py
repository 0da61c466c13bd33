"""What code of one's own may take: threads, time for its check; and what no error of it shows."""

import asyncio
import re
import sys
import threading

import pytest
from sources.user_module import Beside

from cache_core import SourceUnavailable
from cache_core.loading.retriever import InvalidSource

WAITING = """
import threading
gate = threading.Event()
def f(key):
    gate.wait(10)
    return b"1"
"""
HANGING = """
import asyncio
class Things:
    async def retrieve(self, key):
        await asyncio.Event().wait()
    if CHECKS:
        async def check(self):
            await asyncio.Event().wait()
"""
CHECKING = """
class make:
    def __init__(self, **given): self.given = given
    async def retrieve(self, key): return b"1"
    async def check(self): raise ValueError(f"no {self.given}")
"""


async def test_so_many_calls_run_at_a_time_as_there_are_threads_and_as_many_within_them(
    beside: Beside,
) -> None:
    retriever = beside.write(WAITING).open("f", threads=1)
    taking = [asyncio.create_task(retriever.retrieve(f"{number}")) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(SourceUnavailable, match="all 2 threads of the function are taken"):
        await retriever.retrieve("Tom")
    sys.modules[beside.module].gate.set()
    assert await asyncio.gather(*taking) == [b"1", b"1"]
    assert await retriever.retrieve("Tom") == b"1"
    await retriever.aclose()


async def test_a_source_that_is_closed_has_no_threads_left(beside: Beside) -> None:
    before = set(threading.enumerate())
    retriever = beside.write("def f(key): return b'1'").open("f")
    await retriever.retrieve("Tom")
    started = set(threading.enumerate()) - before
    assert started
    await retriever.aclose()
    for thread in started:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in started)


@pytest.mark.parametrize("checks", [True, False])
async def test_a_check_that_hangs_is_given_up(
    beside: Beside, monkeypatch: pytest.MonkeyPatch, *, checks: bool
) -> None:
    monkeypatch.setattr("cache_core.sources.python.retriever.CHECK_SECONDS", 0.05)
    text = HANGING.replace("CHECKS", str(checks))
    retriever = beside.write(text).open("Things", check_key="Tom")
    async with asyncio.timeout(5):
        with pytest.raises(SourceUnavailable):
            await retriever.check()
    await retriever.aclose()


@pytest.mark.parametrize(
    "options",
    [
        {"pin": "1234"},
        {"hosts": ["one", "1234"]},
        {"account": {"logins": [{"pin": "1234"}]}},
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "def make(**given): raise ValueError(f'no {given}')",
        CHECKING,
    ],
)
async def test_a_secret_is_shown_by_no_error_wherever_it_is_in_the_options(
    beside: Beside, text: str, options: dict[str, object]
) -> None:
    with pytest.raises(InvalidSource, match=re.escape("ValueError: no {")) as refused:
        await beside.write(text).open("make", options=options).check()
    assert "1234" not in str(refused.value)
    assert "…" in str(refused.value)
    assert refused.value.__suppress_context__
