import logging

import pytest

from cache_core.errors import RetrieverFailed
from cache_core.events import (
    Hit,
    LoadFailed,
    LoadStarted,
    MemberBack,
    MemberLeftOut,
    MembersChanged,
    Received,
    StaleHit,
    wants,
)
from cache_core.logs import LogHook
from cache_core.value import Answer


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


@pytest.mark.parametrize(
    ("words", "logged"),
    [
        ("no route to https://user:hunter2@host/path", "no route to https://…@host/path"),
        ("at db://u:hunt@er/2@host:1, twice", "at db://…@host:1, twice"),
        ("host=h password=hunter2 user=u", "host=h password=… user=u"),
        ("https://host/?api_key=hunter2", "https://host/?api_key=…"),
        ("PASSWD=hunter2; Token=hunter2 secret=hunter2", "PASSWD=… Token=… secret=…"),
        ("no such host: https://host/path", "no such host: https://host/path"),
    ],
)
def test_a_failed_load_is_a_warning_without_credentials(
    hook: LogHook, caplog: pytest.LogCaptureFixture, words: str, logged: str
) -> None:
    error = RetrieverFailed("the source of group g failed")
    error.__cause__ = OSError(words)
    hook(LoadFailed("g", "k", error))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"[source g] failed for key k: OSError: {logged}"


def test_what_every_get_emits_is_not_made_unless_debug_is_logged(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    assert wants(hook, Received)
    assert wants(hook, Hit)
    caplog.set_level(logging.INFO, "gaocache")
    quiet = LogHook(lambda: "127.0.0.1:8080")
    assert not wants(quiet, Received)
    assert not wants(quiet, Hit)
    assert wants(quiet, LoadFailed)


def test_what_it_is_to_be_silent_about_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gaocache")
    hook = LogHook(lambda: "127.0.0.1:8080", silent=(MemberBack,))
    hook(MemberBack("127.0.0.1:8081"))
    hook(Hit("g", "k"))
    assert caplog.messages == ["cache hit (g)/(k)"]


def test_a_key_cannot_forge_a_line(hook: LogHook, caplog: pytest.LogCaptureFixture) -> None:
    hook(Hit("g", "k\n2026-01-01 ERROR all is lost"))
    assert caplog.messages == ["cache hit (g)/(k\\n2026-01-01 ERROR all is lost)"]


def test_no_words_of_a_source_or_a_peer_forge_a_line(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    error = RetrieverFailed("failed")
    error.__cause__ = OSError("no\n2026-01-01 ERROR all is lost")
    hook(LoadFailed("g", "k\n", error))
    hook(MemberLeftOut("127.0.0.1:8081", "gone\nall is lost", alarming=True))
    assert caplog.messages == [
        r"[source g] failed for key k\n: OSError: no\n2026-01-01 ERROR all is lost",
        r"node 127.0.0.1:8081 is left out: gone\nall is lost",
    ]


def test_a_load_that_failed_without_a_cause_is_told_in_its_own_words(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    hook(LoadFailed("g", "k", RetrieverFailed("the source of group g failed")))
    assert caplog.messages == ["[source g] failed for key k: the source of group g failed"]


def test_news_of_members_are_info_and_a_warning_where_they_alarm(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    hook(MembersChanged(("a:1", "b:2"), 255))
    hook(MemberLeftOut("a:1", "it does not answer", alarming=True))
    hook(MemberLeftOut("b:2", "it said goodbye", alarming=False))
    hook(MemberBack("a:1"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the members are a:1, b:2, the ring is 00000000000000ff"),
        ("WARNING", "node a:1 is left out: it does not answer"),
        ("INFO", "node b:2 is left out: it said goodbye"),
        ("INFO", "node a:1 serves"),
    ]


def test_a_stale_answer_is_told_as_what_it_is(
    hook: LogHook, caplog: pytest.LogCaptureFixture
) -> None:
    hook(StaleHit("g", "k", Answer.STALE))
    hook(StaleHit("g", "k", Answer.STALE_ERROR))
    assert caplog.messages == ["cache stale (g)/(k)", "cache stale-error (g)/(k)"]
