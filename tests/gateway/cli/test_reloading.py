"""SIGHUP: the config read anew while a node serves."""

import asyncio
import fcntl
import json
import os
import pty
import signal
import termios
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from processes import GAOCACHE, Run, Start

from cache_core import Group
from cache_core.config import Settings, load
from cache_core.node.groups import Reloaded
from gateway.cli.processes.reloading import Reloading

CONFIG = """\
[node]
weight = 1
[groups.scores]
ttl = "60s"
[groups.scores.source]
kind = "sql"
url = "sqlite:///scores.db"
query = "SELECT score FROM scores WHERE name = :key"
"""


@dataclass
class FakeNode:
    """Takes groups, and says what it was told to say."""

    done: Reloaded = field(default_factory=partial(Reloaded, (), (), ()))
    taken: list[Group] = field(default_factory=list)
    reloaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def reload(self, groups: Iterable[Group]) -> Reloaded:
        self.taken = list(groups)
        for group in self.taken:
            await group.aclose()
        self.reloaded.set()
        return self.done


@pytest.fixture
def file(scores_db: Path) -> Path:
    config = scores_db.parent / "gaocache.toml"
    config.write_text(CONFIG)
    return config


def reloading(file: Path, node: FakeNode) -> Reloading:
    def read() -> Settings:
        return load(file, environ={})

    return Reloading(read(), file, read, node.reload)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_the_node_is_given_the_groups_of_the_new_file(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = FakeNode(Reloaded(("b", "a\n"), ("scores",), ()))
    subject = reloading(file, node)
    file.write_text(CONFIG.replace("60s", "90s"))
    await subject.once()
    (group,) = node.taken
    assert (group.name, group.settings.ttl) == ("scores", 90)
    assert said(caplog) == [
        ("WARNING", f"{file} was reloaded: added a\\n, b; changed scores"),
    ]


async def test_a_file_that_says_the_same_changes_nothing(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await reloading(file, FakeNode()).once()
    assert said(caplog) == [("WARNING", f"{file} was reloaded: its groups are as they were")]


async def test_a_source_that_is_another_is_a_change(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject = reloading(file, FakeNode())
    file.write_text(CONFIG.replace("score FROM", "name FROM"))
    await subject.once()
    await subject.once()
    assert [words for _, words in said(caplog)] == [
        f"{file} was reloaded: changed scores",
        f"{file} was reloaded: its groups are as they were",
    ]


async def test_what_only_a_new_start_changes_is_said(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject = reloading(file, FakeNode(Reloaded((), (), ("x",))))
    file.write_text(CONFIG.replace("weight = 1", 'weight = 2\npeers = "static://a:1"'))
    await subject.once()
    assert said(caplog) == [
        ("WARNING", f"{file} was reloaded: removed x"),
        ("WARNING", "these hold once the node is started anew: node.peers, node.weight"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("60s", "soon", '4: groups.scores.ttl: it should be seconds or like "90s", "10m"'),
        ("FROM scores", "FROM none", "8: groups.scores.source.query: the database says: no such"),
        ("[node]", "[node", "1: Expected ']' at the end of a table declaration"),
    ],
)
async def test_a_bad_file_is_said_and_changes_nothing(
    file: Path, caplog: pytest.LogCaptureFixture, old: str, new: str, line: str
) -> None:
    node = FakeNode()
    subject = reloading(file, node)
    file.write_text(CONFIG.replace(old, new))
    await subject.once()
    (first, level), (last, _) = ((words, level) for level, words in said(caplog))
    assert first.startswith(f"{file}:{line}")
    assert level == "ERROR"
    assert last == f"{file} was not reloaded: what was read before holds"
    assert not node.reloaded.is_set()


async def test_a_wish_during_a_reload_is_another_reload(file: Path) -> None:
    node = FakeNode()
    wanted, again = asyncio.Event(), asyncio.Event()

    async def reload(groups: Iterable[Group]) -> Reloaded:
        (again if node.reloaded.is_set() else wanted).set()
        return await node.reload(groups)

    read = partial(load, file, environ={})
    running = asyncio.create_task(Reloading(read(), file, read, reload).whenever(wanted))
    wanted.set()
    await asyncio.wait_for(again.wait(), 5)
    running.cancel()


async def until_logged(stderr: asyncio.StreamReader, words: str) -> str:
    while line := (await stderr.readline()).decode():
        if words in line:
            return line
    raise AssertionError(f"nothing was logged like {words}")


async def test_a_node_reads_its_groups_anew_and_keeps_what_it_holds(
    run: Run, start: Start, file: Path
) -> None:
    node = await start("node", "--listen", "127.0.0.1:0", "--config", str(file))
    address = await node.until(r"node (\S+) serves")
    assert (await run("get", "scores", "Tom", "--node", address)).stdout == b"630"
    more = CONFIG[CONFIG.index("[groups.scores]") :].replace("groups.scores", "groups.more")
    file.write_text(CONFIG.replace("60s", "90s") + more)
    (file.parent / "scores.db").rename(file.parent / "gone.db")
    (file.parent / "scores.db").touch()
    node.process.send_signal(signal.SIGHUP)
    assert node.process.stderr is not None
    await until_logged(node.process.stderr, "was not reloaded")
    (file.parent / "gone.db").rename(file.parent / "scores.db")
    node.process.send_signal(signal.SIGHUP)
    line = await until_logged(node.process.stderr, "was reloaded")
    assert f"{file} was reloaded: added more; changed scores" in line
    for group in ("scores", "more"):
        assert (await run("get", group, "Tom", "--node", address)).stdout == b"630"
    described = json.loads((await run("cluster", "--json", "--node", address)).stdout)
    groups = described["nodes"][0]["groups"]
    assert {name: group["loads"] for name, group in groups.items()} == {"scores": 1, "more": 1}


async def test_a_node_goes_on_after_a_bad_file(run: Run, start: Start, file: Path) -> None:
    node = await start("node", "--listen", "127.0.0.1:0", "--config", str(file))
    address = await node.until(r"node (\S+) serves")
    file.write_text("oh no")
    node.process.send_signal(signal.SIGHUP)
    assert node.process.stderr is not None
    line = await until_logged(node.process.stderr, "ERROR")
    assert f"{file}:1: Expected '=' after a key" in line
    await until_logged(node.process.stderr, "was not reloaded: what was read before holds")
    assert (await run("get", "scores", "Tom", "--node", address)).stdout == b"630"


@pytest.mark.slow
async def test_up_passes_the_signal_on_to_its_nodes_and_goes_on(
    run: Run, start: Start, file: Path
) -> None:
    free_ports = ("--listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0")
    up = await start("up", "--nodes", "2", *free_ports, "--config", str(file))
    address = await up.until(r"node     (\S+)")
    await up.until(r"/docs\n")
    file.write_text("oh no")
    up.process.send_signal(signal.SIGHUP)
    assert up.process.stderr is not None
    for _ in range(2):
        await until_logged(up.process.stderr, "was not reloaded: what was read before holds")
    assert (await run("get", "scores", "Tom", "--node", address)).stdout == b"630"
    assert (await up.stop()).status == 0


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup


@pytest.mark.slow
async def test_a_node_whose_terminal_closes_stops(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        GAOCACHE,
        *("node", "--listen", "127.0.0.1:0"),
        env=environment,
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    try:
        assert process.stdout is not None
        assert b"serves" in await process.stdout.readline()
        os.close(ours)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _take_terminal_under_nohup() -> None:
    _take_terminal()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.slow
async def test_a_node_under_nohup_outlives_its_terminal(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        GAOCACHE,
        *("node", "--listen", "127.0.0.1:0"),
        env=environment,
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_take_terminal_under_nohup,
    )
    os.close(theirs)
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"serves" in await process.stdout.readline()
        os.close(ours)
        assert b"was reloaded" in await process.stderr.readline()
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
