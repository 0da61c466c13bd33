"""Workers that tell each other their figures; each a `Workers` of its own in this process."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.server.workers import Workers
from gateway.survey.gateway_figures import FiguresTable, GatewayFigures


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="gao-") as name:
        yield Path(name)


class Holdings:
    """A FiguresSource of a test's own."""

    def __init__(self, table: FiguresTable) -> None:
        self.table = table

    def __call__(self) -> FiguresTable:
        return self.table


def worker(folder: Path, number: int, table: FiguresTable, *, count: int = 3) -> Workers:
    return Workers({"near": Holdings(table)}, folder / str(number), count)


@contextlib.asynccontextmanager
async def answering(path: Path, answer: bytes | None) -> AsyncIterator[None]:
    """Be a worker that says `answer`, or nothing at all."""
    over = asyncio.Event()

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await over.wait()
        else:
            writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(tell, path):
        try:
            yield
        finally:
            over.set()


async def test_any_of_them_tells_the_sums_of_all(folder: Path) -> None:
    one = worker(folder, 1, {"scores": {"hits": 3, "bytes": 10}})
    two = worker(folder, 2, {"scores": {"hits": 4, "bytes": 20}, "rates": {"hits": 1}})
    three = worker(folder, 3, {})
    sums = {"near": {"scores": {"hits": 7, "bytes": 30}, "rates": {"hits": 1}}}
    async with one, two, three:
        for asked in (one, two, three):
            assert await asked.figures() == GatewayFigures(3, (), sums)


async def test_the_figures_are_those_of_the_moment(folder: Path) -> None:
    table = {"scores": {"hits": 1}}
    one, two = worker(folder, 1, {}, count=2), worker(folder, 2, table, count=2)
    async with one, two:
        assert (await one.figures()).sums == {"near": {"scores": {"hits": 1}}}
        table["scores"]["hits"] = 5
        assert (await one.figures()).sums == {"near": {"scores": {"hits": 5}}}


async def test_one_that_is_not_there_is_named_and_the_others_are_summed(folder: Path) -> None:
    one, three = worker(folder, 1, {"a": {"n": 1}}), worker(folder, 3, {"a": {"n": 2}})
    async with one, three:
        assert await one.figures() == GatewayFigures(3, ("worker 2",), {"near": {"a": {"n": 3}}})


@pytest.mark.parametrize("answer", [None, b"", b"no JSON", b'{"near":{"a":{"n":"many"}}}'])
async def test_one_that_says_nothing_or_nonsense_is_named(
    folder: Path, answer: bytes | None
) -> None:
    one = worker(folder, 1, {"a": {"n": 1}}, count=2)
    async with one, answering(folder / "2", answer), asyncio.timeout(5):
        assert await one.figures() == GatewayFigures(2, ("worker 2",), {"near": {"a": {"n": 1}}})


async def test_one_that_was_killed_leaves_no_hindrance_to_its_successor(folder: Path) -> None:
    killed, successor = worker(folder, 1, {}, count=2), worker(folder, 1, {"a": {"n": 1}}, count=2)
    await killed.__aenter__()
    other = worker(folder, 2, {}, count=2)
    async with successor, other:
        assert await other.figures() == GatewayFigures(2, (), {"near": {"a": {"n": 1}}})
    await killed.__aexit__(None, None, None)
    assert list(folder.iterdir()) == []


async def test_one_alone_has_its_own_figures_and_no_socket(folder: Path) -> None:
    async with Workers({"near": Holdings({"a": {"n": 1}})}) as alone:
        assert await alone.figures() == GatewayFigures(1, (), {"near": {"a": {"n": 1}}})
    assert list(folder.iterdir()) == []


async def test_one_whose_folder_has_gone_with_its_supervisor_has_its_own_figures(
    folder: Path,
) -> None:
    async with worker(folder / "gone", 1, {"a": {"n": 1}}, count=2) as left:
        assert await left.figures() == GatewayFigures(2, ("worker 2",), {"near": {"a": {"n": 1}}})
