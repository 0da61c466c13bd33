"""Trying whether a source can serve."""

import asyncio

import pytest

from cache_core.errors import SourceUnavailable
from cache_core.sources.opening import check


async def test_a_check_that_takes_too_long_is_cancelled_and_an_outage() -> None:
    cancelled = asyncio.Event()

    async def hanging() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(5):
        error = await check(hanging, seconds=0.01)
        assert isinstance(error, SourceUnavailable)
        await cancelled.wait()


async def test_a_caller_that_is_cancelled_cancels_the_check() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def hanging() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(5):
        checking = asyncio.create_task(check(hanging, seconds=60))
        await began.wait()
        checking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await checking
        await cancelled.wait()
