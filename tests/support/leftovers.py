"""A pytest plugin: what a test leaves behind is an error.

Looked at are open descriptors, threads, and of the event loop its tasks, its timers and the
exceptions that nobody took. All fixtures of a test have ended by then. The loop is looked at before
it closes, descriptors and threads after that. What ends by itself within `PATIENCE` is fine.

Tests that run on their module's loop share servers, which open and close connections whenever they
like: what those leave is looked at once, when the module has ended.

An exception that nobody took may come to light only when its task is freed, much later. It is kept
until all tests have ended, and is an error of the test on whose loop it was.
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
from typing import Any, Final, NamedTuple

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

COMPLAINTS: Final = pytest.StashKey[list["Complaint"]]()
"""What loops told their exception handlers, and no test was failed for yet."""


class Complaint(NamedTuple):
    """What the loop of a test told its exception handler; the test may be a whole module."""

    test: str
    words: str


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COMPLAINTS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _shares_a_loop(item) and (module := item.getparent(pytest.Module)):
            module.stash[SHARED] = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have what is in cycles freed, and fail the tests on whose loops exceptions were left."""
    gc.collect()
    config = session.config
    complaints = config.stash[COMPLAINTS]
    if hasattr(config, "workeroutput"):  # one of xdist's processes, whose first one fails them
        config.workeroutput["complaints"] = [tuple(complaint) for complaint in complaints]
        return
    for test, words in complaints:
        location = test.partition("::")[0], 0, test.rpartition("::")[2]
        longrepr = _told([f"{words}, told after the test"])
        report = pytest.TestReport(test, location, {}, "failed", longrepr, "teardown")
        config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist's, which may not be there
    told = getattr(node, "workeroutput", {}).get("complaints", ())
    node.config.stash[COMPLAINTS].extend(Complaint(*each) for each in told)


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


FOREIGN: Final = (__name__, "_pytest", "pytest_", "anyio", "schemathesis", "xdist")
"""The modules of fixtures that are not ours."""


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
        with _nothing_left_open(may_replace=_has_shared_fixtures(request.node)):
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


def _has_shared_fixtures(item: pytest.Item) -> bool:
    """Tell whether the test has a fixture of ours that outlives it, such as a server's client."""
    info = item._fixtureinfo  # type: ignore[attr-defined] # noqa: SLF001 - pytest has no other way
    return any(
        given[-1].scope != "function" and not given[-1].func.__module__.startswith(FOREIGN)
        for name, given in info.name2fixturedefs.items()
        if not name.startswith("_")
    )


@contextlib.contextmanager
def _nothing_left_open(*, may_replace: bool = False) -> Iterator[None]:
    """Fail where a descriptor or a thread is left over.

    With `may_replace` a descriptor that was open may be of something else now: what outlives the
    test has connected anew.
    """
    descriptors, threads = _descriptors(), set(threading.enumerate())
    numbers = {number for number, _ in descriptors} if may_replace else set[str]()

    def left() -> list[str]:
        running = [thread for thread in threading.enumerate() if thread not in threads]
        return [
            *_described({each for each in _descriptors() - descriptors if each[0] not in numbers}),
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
    test = request.node.nodeid
    told = [complaint.words for complaint in complaints if complaint.test == test]
    complaints[:] = [complaint for complaint in complaints if complaint.test != test]
    _fail_if_any(remaining + told)


def _waited_for(left: Callable[[], list[str]], run_for: Callable[[float], None]) -> list[str]:
    """Return what is still left when it has had time to end."""
    until = time.monotonic() + PATIENCE
    while (remaining := left()) and time.monotonic() < until:
        run_for(PAUSE)
    return remaining


def _fail_if_any(remaining: list[str]) -> None:
    if remaining:
        pytest.fail(_told(remaining), pytrace=False)


def _told(remaining: list[str]) -> str:
    return "\n  ".join(["left behind:", *sorted(remaining)])


def _complain(
    complaints: list[Complaint], test: str, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    # gRPC can't wait for the last events of a call that was cancelled. When their loop has closed
    # by then, it is the next loop that fails to hand them over.
    if "PollerCompletionQueue._handle_events" not in context["message"]:
        error = context.get("exception")
        complaints.append(Complaint(test, f"{context['message']}: {error!r}"))
    loop.default_exception_handler(context)


def _timers(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """Return what is yet to be called at its time; asyncio has no public list, uvloop none."""
    return [timer for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()]


def _descriptors() -> set[tuple[str, str]]:
    """Return the open descriptors' numbers, and what they are of; none where there is no /proc."""
    try:
        listing = os.open(DESCRIPTORS, os.O_RDONLY)
    except FileNotFoundError:
        return set()
    os.close(listing)  # so that the listing's own descriptor has this number
    found = set()
    for number in os.listdir(DESCRIPTORS):  # noqa: PTH208 - a Path for each is slow
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile
            link = os.readlink(f"{DESCRIPTORS}/{number}")  # noqa: PTH115 - as above
            if link not in POLLERS:
                found.add((number, link))
    return found


def _described(descriptors: set[tuple[str, str]]) -> Iterator[str]:
    for number, link in descriptors:
        yield f"descriptor {number}: {link}{_addresses(int(number), link)}"


def _addresses(number: int, link: str) -> str:
    found = ""
    if link.startswith("socket:"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as sock:
            found += f" at {sock.getsockname()}"
            found += f" to {sock.getpeername()}"
    return found
