import re
from pathlib import Path

import pytest

pytest_plugins = "pytester"

SUPPORT = Path(__file__).parents[1] / "support"

INNER_CONFTEST = """
pytest_plugins = "leftovers"


def pytest_configure():
    import leftovers

    leftovers.PATIENCE = 0.02
"""

INNER = """
import asyncio, gc, os, socket, threading, time

import pytest
import pytest_asyncio

kept = []


def test_descriptor():
    kept.append(os.open("/dev/null", os.O_RDONLY))


def test_socket():
    kept.append(socket.create_server(("127.0.0.1", 0)))


def test_thread():
    threading.Thread(target=time.sleep, args=[60], name="sleeper", daemon=True).start()


async def test_socket_of_a_loop():
    kept.append(await asyncio.start_server(print, "127.0.0.1", 0))


async def test_task():
    kept.append(asyncio.create_task(asyncio.sleep(60), name="sleepy"))


async def test_timer():
    asyncio.get_running_loop().call_later(60, kept.clear)


async def test_exception():
    asyncio.get_running_loop().create_future().set_exception(OSError("nobody took me"))


@pytest.fixture
async def sloppy():
    yield
    kept.append(asyncio.create_task(asyncio.sleep(60), name="of a fixture"))


async def test_fixture(sloppy):
    pass


@pytest.fixture
async def serving():
    async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()


async def test_clean(serving):
    reader, writer = await asyncio.open_connection(*serving)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    await asyncio.to_thread(time.sleep, 0)
    asyncio.get_running_loop().call_later(60, print).cancel()


async def test_clean_a_moment_later(serving):
    asyncio.get_running_loop().call_later(0.005, print)
    kept.append(asyncio.create_task(asyncio.sleep(0.005)))


def test_clean_plain():
    socket.socket().close()
"""

INNER_SHARED = """
import asyncio

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server():
    async with await asyncio.start_server(lambda r, w: kept.append(w), "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()
        for writer in kept:
            writer.close()


kept = []


@pytest.mark.parametrize("round", range(2))
async def test_shared(server, round):
    kept.append((await asyncio.open_connection(*server))[1])
    kept.append(asyncio.create_task(asyncio.sleep(60)))
    kept.pop().cancel()
"""

INNER_SHARED_LEAK = """
import asyncio

import pytest

kept = []


@pytest.mark.asyncio(loop_scope="module")
async def test_first():
    kept.append(asyncio.create_task(asyncio.sleep(60), name="of a module"))


@pytest.mark.asyncio(loop_scope="module")
async def test_last():
    pass
"""


@pytest.fixture
def told(pytester: pytest.Pytester) -> dict[str, str]:
    """What is said about each test of `INNER` that leaves something behind."""
    pytester.makeini(
        f"""
        [pytest]
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        filterwarnings = error
        pythonpath = {SUPPORT}
        """
    )
    pytester.makeconftest(INNER_CONFTEST)
    pytester.makepyfile(test_own=INNER, test_shared=INNER_SHARED, test_leak=INNER_SHARED_LEAK)
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "-p", "no:xdist", "-v")
    assert not result.stderr.str()
    parts = re.split(r"_+ ERROR at teardown of (\S+) _+\n", result.stdout.str())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_what_a_test_leaves_behind_is_told(told: dict[str, str]) -> None:
    assert "/dev/null" in told.pop("test_descriptor")
    assert re.search(r"descriptor \d+: socket:.* at \('127.0.0.1'", told.pop("test_socket"))
    assert "socket:" in told.pop("test_socket_of_a_loop")
    assert "sleeper" in told.pop("test_thread")
    assert "sleepy" in told.pop("test_task")
    assert "of a fixture" in told.pop("test_fixture")
    assert "TimerHandle" in told.pop("test_timer")
    assert "nobody took me" in told.pop("test_exception")
    assert "of a module" in told.pop("test_last")
    assert not told
