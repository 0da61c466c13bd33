import logging

import pytest

from cache_core.errors import RetrieverFailed
from cache_core.events import Hit, LoadFailed, LoadStarted, Received
from cache_core.logs import LogHook


@pytest.fixture
def hook(caplog: pytest.LogCaptureFixture) -> LogHook:
    caplog.set_level(logging.DEBUG, "gaocache")
    return LogHook(lambda: "127.0.0.1:8080")


def test_the_tutorials_lines_are_written_at_debug_level(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    hook(Received("scores", "Tom"))
    hook(LoadStarted("scores", "Tom"))
    hook(Hit("scores", "Tom"))
    assert caplog.messages == [
        "[gaocache_svr 127.0.0.1:8080] Recv RPC Request - (scores)/(Tom)",
        "[source scores] search key Tom",
        "cache hit (scores)/(Tom)",
    ]


def test_a_failed_load_is_a_warning_without_credentials(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    error = RetrieverFailed("the source of group g failed")
    error.__cause__ = OSError("no route to https://user:hunter2@host/path")
    hook(LoadFailed("g", "k", error))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "[source g] failed for key k: OSError: no route to https://…@host/path"
    )


def test_a_key_cannot_forge_a_line(hook: LogHook, caplog: pytest.LogCaptureFixture) -> None:
    hook(Hit("g", "k\n2026-01-01 ERROR all is lost"))
    assert caplog.messages == ["cache hit (g)/(k\\n2026-01-01 ERROR all is lost)"]
