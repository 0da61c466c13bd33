import functools
import threading

import pytest

from cache_core.retriever import FunctionRetriever, RetrieverFunction


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
