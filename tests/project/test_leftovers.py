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


opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(2)]


def test_descriptor_in_place_of_another():
    number = opened.pop()
    os.close(number)
    kept.append(socket.socket())
    assert kept[-1].fileno() == number


@pytest.fixture(scope="module")
def shared():
    return opened


def test_clean_that_has_what_outlives_it_connect_anew(shared):
    number = shared.pop()
    os.close(number)
    shared.append(socket.socket())
    assert shared[-1].fileno() == number
"""

INNER_LATE = """
import asyncio, gc


async def fail():
    raise OSError("told late")


async def test_in_a_cycle():
    cycle = [asyncio.create_task(fail())]
    cycle.append(cycle)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_clean_that_collects():
    gc.collect()


async def test_in_a_cycle_at_last():
    await test_in_a_cycle()


def test_clean_plain_at_last():
    pass
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
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs tests with the plugin, and with few others, which take a second to import."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
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
    return pytester


def told(inner: pytest.Pytester, *options: str) -> dict[str, str]:
    """Return what is said about each test that leaves something behind."""
    result = inner.runpytest_subprocess("-p", "pytest_asyncio.plugin", *options, "-v")
    assert not result.stderr.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    parts = re.split(r"_+ ERROR at teardown of (\S+) _+\n", result.stdout.str())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_what_a_test_leaves_behind_is_told(inner: pytest.Pytester) -> None:
    inner.makepyfile(test_own=INNER, test_shared=INNER_SHARED, test_leak=INNER_SHARED_LEAK)
    left = told(inner)
    assert "/dev/null" in left.pop("test_descriptor")
    assert re.search(r"descriptor \d+: socket:.* at \('127.0.0.1'", left.pop("test_socket"))
    assert "socket:" in left.pop("test_socket_of_a_loop")
    assert "socket:" in left.pop("test_descriptor_in_place_of_another")
    assert "sleeper" in left.pop("test_thread")
    assert "sleepy" in left.pop("test_task")
    assert "of a fixture" in left.pop("test_fixture")
    assert "TimerHandle" in left.pop("test_timer")
    assert "nobody took me" in left.pop("test_exception")
    assert "of a module" in left.pop("test_last")
    assert not left


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "1")])
def test_what_comes_to_light_after_its_test_is_told_of_that_test_alone(
    inner: pytest.Pytester, options: tuple[str, ...]
) -> None:
    inner.makepyfile(test_late=INNER_LATE)
    left = told(inner, *options)
    assert "told late" in left.pop("test_in_a_cycle")
    assert "told late" in left.pop("test_in_a_cycle_at_last")
    assert not left
