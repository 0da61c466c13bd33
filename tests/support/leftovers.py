"""A pytest plugin: what a test leaves behind is an error.

Looked at are open descriptors, threads, and of the event loop its tasks, its timers and the
exceptions that nobody took. All fixtures of a test have ended by then. The loop is looked at before
it closes, descriptors and threads after that. What ends by itself within `PATIENCE` is fine.

Tests that run on their module's loop share servers, which open and close connections whenever they
like: what those leave is looked at once, when the module has ended.
"""

import asyncio
import contextlib
import functools
import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import uvloop
from grpc.aio import (  # type: ignore[attr-defined] # its stubs lack these two
    init_grpc_aio,
    shutdown_grpc_aio,
)

PATIENCE: Final = 5.0
"""How long what was begun may take to end, in seconds."""

PAUSE: Final = 0.005

DESCRIPTORS: Final = "/proc/self/fd"

POLLERS: Final = {"anon_inode:[eventpoll]", "anon_inode:[eventfd]"}
"""gRPC and obstore make and end them in threads of their own. An event loop that was left open is
noticed all the same: it has two sockets as well."""

SHARED: Final = pytest.StashKey[bool]()
"""Whether tests of a module run on the module's loop."""

COMPLAINTS: Final = pytest.StashKey[list[str]]()
"""What loops told their exception handlers, and no test was failed for yet."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COMPLAINTS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _shares_a_loop(item) and (module := item.getparent(pytest.Module)):
            module.stash[SHARED] = True


@pytest.fixture(autouse=True, scope="session")
def _held_by_libraries() -> Iterator[None]:
    """Hold what a library has once in a process, so that no test is the first to need it.

    gRPC's thread and its sockets would begin with some test's channel or server, and end when the
    last of its objects is freed, which a test can't wait for. libuv's pipe for signals stays.
    """
    init_grpc_aio()
    uvloop.new_event_loop().close()
    yield
    shutdown_grpc_aio()


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_open_by_module(request: pytest.FixtureRequest) -> Iterator[None]:
    if SHARED not in request.node.stash:
        yield
    else:
        with _nothing_left_open():
            yield


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_on_loop_of_module(
    request: pytest.FixtureRequest, _nothing_left_open_by_module: None
) -> Iterator[None]:
    if SHARED not in request.node.stash:
        yield
    else:
        with _nothing_left_on(request.getfixturevalue("_loop_of_module"), request):
            yield


@pytest.fixture(autouse=True)
def _nothing_left_open_by_test(request: pytest.FixtureRequest) -> Iterator[None]:
    if _shares_a_loop(request.node):
        yield
    else:
        with _nothing_left_open():
            yield


@pytest.fixture(autouse=True)
def _nothing_left_on_loop_of_test(
    request: pytest.FixtureRequest, _nothing_left_open_by_test: None
) -> Iterator[None]:
    if _shares_a_loop(request.node) or not pytest_asyncio.is_async_test(request.node):
        yield
    else:
        with _nothing_left_on(request.getfixturevalue("_loop_of_test"), request):
            yield


@pytest_asyncio.fixture
async def _loop_of_test() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _loop_of_module() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _shares_a_loop(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("asyncio")
    return mark is not None and mark.kwargs.get("loop_scope", "function") != "function"


@contextlib.contextmanager
def _nothing_left_open() -> Iterator[None]:
    descriptors, threads = _descriptors(), set(threading.enumerate())

    def left() -> list[str]:
        running = [thread for thread in threading.enumerate() if thread not in threads]
        return [
            *_described(_descriptors() - descriptors),
            *(f"thread: {thread}" for thread in running),
        ]

    yield
    if left():
        gc.collect()  # an object that is only in a cycle closes what it holds, with a warning
        _fail_if_any(_waited_for(left, time.sleep))


@contextlib.contextmanager
def _nothing_left_on(
    loop: asyncio.AbstractEventLoop, request: pytest.FixtureRequest
) -> Iterator[None]:
    complaints = request.config.stash[COMPLAINTS]
    loop.set_exception_handler(functools.partial(_complain, complaints, request.node.nodeid))
    tasks, timers = asyncio.all_tasks(loop), set(_timers(loop))

    def left() -> list[str]:
        return [
            *(f"task: {task}" for task in asyncio.all_tasks(loop) - tasks),
            *(f"timer: {timer}" for timer in _timers(loop) if timer not in timers),
        ]

    def run_for(seconds: float) -> None:
        loop.run_until_complete(asyncio.sleep(seconds))

    yield
    remaining = _waited_for(left, run_for) if left() else []
    told = [*complaints]
    complaints.clear()
    _fail_if_any(remaining + told)


def _waited_for(left: Callable[[], list[str]], run_for: Callable[[float], None]) -> list[str]:
    """Return what is still left when it has had time to end."""
    until = time.monotonic() + PATIENCE
    while (remaining := left()) and time.monotonic() < until:
        run_for(PAUSE)
    return remaining


def _fail_if_any(remaining: list[str]) -> None:
    if remaining:
        pytest.fail("\n  ".join(["left behind:", *sorted(remaining)]), pytrace=False)


def _complain(
    complaints: list[str], test: str, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    # gRPC can't wait for the last events of a call that was cancelled. When their loop has closed
    # by then, it is the next loop that fails to hand them over.
    if "PollerCompletionQueue._handle_events" not in context["message"]:
        error = context.get("exception")
        complaints.append(f"on the loop of {test}: {context['message']}: {error!r}")
    loop.default_exception_handler(context)


def _timers(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """Return what is yet to be called at its time; asyncio has no public list, uvloop none."""
    return [timer for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()]


def _descriptors() -> set[str]:
    """Return the open descriptors' numbers; none where there is no /proc."""
    try:
        listing = os.open(DESCRIPTORS, os.O_RDONLY)
    except FileNotFoundError:
        return set()
    os.close(listing)  # so that the listing's own descriptor has this number
    return {*os.listdir(DESCRIPTORS)} - {str(listing)}  # noqa: PTH208 - a Path for each is slow


def _described(descriptors: set[str]) -> Iterator[str]:
    for number in descriptors:
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile
            link = str(Path(DESCRIPTORS, number).readlink())
            if link not in POLLERS:
                yield f"descriptor {number}: {link}{_addresses(int(number), link)}"


def _addresses(number: int, link: str) -> str:
    found = ""
    if link.startswith("socket:"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as sock:
            found += f" at {sock.getsockname()}"
            found += f" to {sock.getpeername()}"
    return found
