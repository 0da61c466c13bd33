"""`gaocache check`: what is wrong in a config, and with the sources it names."""

import asyncio
import json
import socket
from pathlib import Path

from processes import Run

from cache_core.errors import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.opening import check

GROUP = """
[groups.{name}.source]
kind = "sql"
url = "sqlite:///{file}"
query = "SELECT score FROM {table} WHERE name = :key"
"""


def write(folder: Path, *groups: tuple[str, str, str]) -> Path:
    file = folder / "my.toml"
    texts = (GROUP.format(name=name, file=db, table=table) for name, db, table in groups)
    file.write_text("".join(texts))
    return file


async def test_sources_that_serve_are_ok(run: Run, scores_db: Path) -> None:
    file = write(scores_db.parent, ("a", "scores.db", "scores"), ("b", "scores.db", "scores"))
    ended = await run("check", str(file))
    assert (ended.status, ended.stderr) == (0, "")
    lines = [line.split() for line in ended.stdout.decode().splitlines()]
    assert lines == [["group", "kind", "result"], ["a", "sql", "ok"], ["b", "sql", "ok"]]
    ended = await run("check", str(file), "--json")
    assert ended.status == 0
    assert json.loads(ended.stdout) == {
        "ok": True,
        "errors": [],
        "sources": [
            {"group": "a", "kind": "sql", "ok": True, "error": None},
            {"group": "b", "kind": "sql", "ok": True, "error": None},
        ],
    }


async def test_each_source_that_does_not_serve_is_named_with_its_place(
    run: Run, scores_db: Path
) -> None:
    file = write(
        scores_db.parent,
        ("a", "none.db", "scores"),
        ("b", "scores.db", "scores"),
        ("c", "scores.db", "none"),
    )
    ended = await run("check", str(file))
    assert (ended.status, ended.stderr) == (1, "")
    said = ended.stdout.decode()
    assert f"{file}:4: groups.a.source.url: there is no SQLite file" in said
    assert f"{file}:15: groups.c.source.query: the database says: no such table" in said
    ended = await run("check", str(file), "--json")
    assert ended.status == 1
    document = json.loads(ended.stdout)
    assert not document["ok"]
    assert [source["ok"] for source in document["sources"]] == [False, True, False]


async def test_what_is_wrong_in_the_file_is_said_all_at_once(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, ("a", "scores.db", "scores"))
    file.write_text("[node]\nweigth = 2\nweight = 0\n" + file.read_text().replace("sql", "sqk", 1))
    ended = await run("check", str(file))
    lines = [
        f"{file}:2: node.weigth: unknown, did you mean weight?",
        f"{file}:3: node.weight: input should be greater than or equal to 1",
        f"{file}:6: groups.a.source.kind: unknown, did you mean sql?",
    ]
    assert (ended.status, ended.stdout) == (1, b"")
    assert ended.stderr.splitlines() == [f"gaocache: {line}" for line in lines]
    ended = await run("check", str(file), "--json")
    assert (ended.status, ended.stderr) == (1, "")
    assert json.loads(ended.stdout) == {"ok": False, "errors": lines, "sources": []}


async def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    ended = await run("check", str(tmp_path / "none.toml"))
    assert ended.status == 1
    assert ended.stderr == f"gaocache: {tmp_path}/none.toml: No such file or directory\n"


async def test_a_tier_that_cannot_be_reached_is_named_and_its_password_is_not(
    run: Run, scores_db: Path, free: str
) -> None:
    file = write(scores_db.parent, ("a", "scores.db", "scores"))
    file.write_text(f'[groups.a]\ntier = "valkey://u:hunter2@{free}"\n{file.read_text()}')
    ended = await run("check", str(file))
    assert (ended.status, ended.stderr) == (1, "")
    _, source, tier = ended.stdout.decode().splitlines()
    assert source.split() == ["a", "sql", "ok"]
    assert tier.startswith(f"a     tier {file}:2: groups.a.tier: ")
    assert tier.rstrip().endswith("; see that it runs and that its address is right")
    assert "hunter2" not in ended.stdout.decode()


async def test_a_tier_that_is_silent_is_waited_for_as_long_as_told(
    run: Run, scores_db: Path
) -> None:
    file = write(scores_db.parent, ("a", "scores.db", "scores"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tier = f"valkey://127.0.0.1:{silent.getsockname()[1]}"
        file.write_text(f'[groups.a]\ntier = "{tier}"\n{file.read_text()}')
        ended = await run("check", str(file), "--timeout", "0.25")
    assert (ended.status, ended.stderr) == (1, "")
    assert "groups.a.tier: it did not answer within 0.25 s" in ended.stdout.decode()


async def test_of_an_error_that_no_source_should_raise_only_the_name_is_told() -> None:
    async def breaks() -> None:
        raise ValueError("hunter2")

    assert str(await check(breaks, seconds=30)) == "it raised ValueError"


async def test_a_trial_that_serves_or_fails_in_time_is_told_as_it_is() -> None:
    async def serves() -> None:
        pass

    async def refuses() -> None:
        raise InvalidSource("url", "wrong password")

    assert await check(serves, seconds=30) is None
    wrong = await check(refuses, seconds=30)
    assert isinstance(wrong, InvalidSource)
    assert wrong.setting == "url"


async def test_a_trial_that_hangs_is_cut_off_and_cancelled() -> None:
    cancelled = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()

    wrong = await check(hangs, seconds=0.01)
    assert isinstance(wrong, SourceUnavailable)
    assert str(wrong) == "it did not answer within 0.01 s"
    await cancelled.wait()


async def test_a_trial_that_does_not_let_itself_be_cancelled_is_left_behind() -> None:
    freed = asyncio.Event()

    async def holds_on() -> None:
        while not freed.is_set():
            try:
                await freed.wait()
            except asyncio.CancelledError:
                continue

    assert isinstance(await check(holds_on, seconds=0.01), SourceUnavailable)
    freed.set()
