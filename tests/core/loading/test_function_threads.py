"""The threads in which plain functions run."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from cache_core import Group
from cache_core.loading.retriever import FunctionRetriever, as_retriever

caller: ContextVar[str] = ContextVar("caller", default="nobody")


async def test_a_function_that_fails_again_and_again_takes_no_thread_with_it() -> None:
    retriever = FunctionRetriever({"k": b"1"}.__getitem__, threads=1)
    for _ in range(10):
        with pytest.raises(KeyError):
            await retriever.retrieve("no")
    assert await retriever.retrieve("k") == b"1"
    await retriever.aclose()


async def test_a_function_sees_the_context_of_the_load_it_is_called_for() -> None:
    retriever = FunctionRetriever(lambda _: caller.get().encode())
    caller.set("a load")
    assert await retriever.retrieve("k") == b"a load"
    await retriever.aclose()


async def test_a_plain_function_may_return_something_to_await() -> None:
    async def look(key: str) -> bytes:
        return key.encode()

    retriever = FunctionRetriever(lambda key: look(key))  # noqa: PLW0108 - must be no coroutine function
    assert await retriever.retrieve("k") == b"k"
    await retriever.aclose()


async def test_a_function_can_be_called_again_after_it_was_closed() -> None:
    retriever = FunctionRetriever({"k": b"1"}.get)
    for _ in range(2):
        assert await retriever.retrieve("k") == b"1"
        await retriever.aclose()


async def test_closing_does_not_wait_for_a_call_that_hangs() -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def hang(_key: str) -> bytes:
        begun.set()
        go.wait(5)
        ended.set()
        return b"late"

    retriever = FunctionRetriever(hang)
    hanging = asyncio.create_task(retriever.retrieve("k"))
    await asyncio.to_thread(begun.wait, 5)
    await retriever.aclose()
    assert not ended.is_set()
    go.set()
    assert await hanging == b"late"


async def test_a_retriever_that_can_be_called_is_still_a_retriever() -> None:
    class Both:
        async def retrieve(self, key: str) -> bytes:
            return key.encode()

        async def aclose(self) -> None:
            """Let go of nothing."""

        def __call__(self, key: str) -> bytes:
            raise AssertionError(key)

    both = Both()
    assert as_retriever(both, threads=1) is both


async def test_a_call_of_an_object_that_is_called_like_an_async_function_needs_no_thread() -> None:
    called = []

    class Looking:
        async def __call__(self, key: str) -> bytes:
            called.append(threading.current_thread())
            return key.encode()

        def begins(self) -> None:
            """Do nothing: it is no function."""

    retriever = FunctionRetriever(Looking())
    assert await retriever.retrieve("k") == b"k"
    assert called == [threading.current_thread()]
    await retriever.aclose()


async def test_a_load_by_an_async_object_ends_when_nobody_waits_for_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    class Looking:
        async def __call__(self, _: str) -> bytes:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return b""

    group = Group("g", Looking())
    asking = asyncio.create_task(group.get("k"))
    await begun.wait()
    asking.cancel()
    async with asyncio.timeout(5):
        await ended.wait()
    await group.aclose()
