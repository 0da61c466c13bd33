import asyncio
import functools
import threading

import pytest

from cache_core.loading.retriever import FunctionRetriever, RetrieverFunction


def in_thread(key: str) -> bytes:
    return f"{key} {threading.current_thread() is threading.main_thread()}".encode()


async def in_loop(key: str) -> bytes:
    return in_thread(key)


class Callable:
    async def __call__(self, key: str) -> bytes:
        return in_thread(key)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (in_thread, b"k False"),
        (in_loop, b"k True"),
        (Callable(), b"k True"),
        (functools.partial(in_loop), b"k True"),
        ({"k": b"v"}.get, b"v"),
        ({"j": b"v"}.get, None),
    ],
)
async def test_a_sync_function_runs_in_a_thread_and_an_async_one_in_the_loop(
    function: RetrieverFunction, answer: bytes | None
) -> None:
    retriever = FunctionRetriever(function)
    assert await retriever.retrieve("k") == answer
    await retriever.aclose()


async def test_a_function_that_hangs_holds_up_no_other() -> None:
    go = threading.Event()
    hanging = FunctionRetriever(lambda _: b"late" if go.wait() else None)
    calls = [asyncio.create_task(hanging.retrieve(str(number))) for number in range(64)]
    other = FunctionRetriever(in_thread)
    assert await other.retrieve("k") == b"k False"
    go.set()
    assert await asyncio.gather(*calls) == [b"late"] * 64
    await hanging.aclose()
    await other.aclose()
