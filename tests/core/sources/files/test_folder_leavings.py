"""What becomes of a folder's descriptors and threads, and of a file that is swapped meanwhile."""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sources.folder_source import data, opened, value

from cache_core import RetrieverFailed, SourceUnavailable
from cache_core.sources.files.folder import CHUNK
from cache_core.sources.files.retriever import FilesRetriever


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file, beside which is one that no key may reach."""
    (tmp_path / "secret").write_bytes(b"stolen")
    things = tmp_path / "things"
    (things / "more" / "inner").mkdir(parents=True)
    (things / "Tom").write_bytes(b"630")
    (things / "more" / "inner" / "Jack").write_bytes(b"589")
    (things / "linked").symlink_to("more/inner/Jack")
    (things / "astray").symlink_to("more/../../secret")
    (things / "large").write_bytes(b"x" * 1000)
    return things


@pytest.fixture
async def files(root: Path) -> AsyncIterator[FilesRetriever]:
    retriever = opened(root.parent, max_bytes=999)
    yield retriever
    await retriever.aclose()


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    "key", ["Tom", "more/inner/Jack", "linked", "astray", "more/none", "more", "large"]
)
async def test_a_read_leaves_no_descriptor_open(files: FilesRetriever, key: str) -> None:
    await data(files, "Tom")
    before = descriptors()
    for _ in range(5):
        with contextlib.suppress(RetrieverFailed):
            await data(files, key)
    assert descriptors() <= before


async def test_a_refresh_and_a_check_leave_no_descriptor_open(files: FilesRetriever) -> None:
    held = await value(files, "Tom")
    before = descriptors()
    for _ in range(5):
        await files.refresh("Tom", held)
        await files.check()
    assert descriptors() <= before


class SwappedAsItIsOpened:
    """`os.open` that has `swap` called once the file `name` was looked at, before it is opened."""

    def __init__(self, name: str, swap: Callable[[], None]) -> None:
        self._open = os.open
        self._name = os.fsencode(name)
        self._swap = swap

    def __call__(self, path: bytes, flags: int, *, dir_fd: int | None = None) -> int:
        if path == self._name:
            self._swap()
        return self._open(path, flags, dir_fd=dir_fd)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
async def test_a_file_that_is_swapped_as_it_is_opened_is_no_such_key_and_leaves_nothing(
    root: Path, files: FilesRetriever, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def swap() -> None:
        if kind == "folder":
            (root / "Tom").unlink()
            (root / "Tom").mkdir()
        elif kind == "pipe":
            (root / "Tom").unlink()
            os.mkfifo(root / "Tom")
        else:
            (root / "Tom").unlink()
            (root / "Tom").symlink_to("../secret")

    await data(files, "more/inner/Jack")
    before = descriptors()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", SwappedAsItIsOpened("Tom", swap))
        try:
            assert await data(files, "Tom") is None
        finally:
            if kind == "pipe":  # so that a thread that waits for a writer has one
                os.close(os.open(root / "Tom", os.O_RDWR | os.O_NONBLOCK))
    assert descriptors() <= before


async def test_a_folder_that_is_swapped_for_a_link_as_it_is_opened_leads_nowhere(
    root: Path, files: FilesRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "inner").mkdir()
    (outside / "inner" / "Jack").write_bytes(b"stolen")

    def swap() -> None:
        (root / "more").rename(root / "away")
        (root / "more").symlink_to("../outside")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", SwappedAsItIsOpened("more", swap))
        assert await data(files, "more/inner/Jack") is None


async def test_an_error_of_the_disk_is_no_missing_key(
    files: FilesRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read

    def failing(descriptor: int, size: int) -> bytes:
        if size == CHUNK:
            raise OSError(errno.EIO, "Input/output error")
        return read(descriptor, size)

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", failing)
        with pytest.raises(SourceUnavailable, match="the file can't be read now"):
            await data(files, "Tom")
    assert await data(files, "Tom") == b"630"


async def test_a_folder_that_is_closed_has_no_threads_left(root: Path) -> None:
    before = set(threading.enumerate())
    retriever = opened(root.parent)
    await asyncio.gather(*(data(retriever, "Tom") for _ in range(10)))
    started = set(threading.enumerate()) - before
    assert started
    await retriever.aclose()
    for thread in started:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in started)


async def test_closing_does_not_wait_for_a_disk_that_hangs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, began, gate = os.read, threading.Event(), threading.Event()

    def hanging(descriptor: int, size: int) -> bytes:
        if size == CHUNK:
            began.set()
            gate.wait(10)
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", hanging)
    retriever = opened(root.parent)
    reading = asyncio.create_task(data(retriever, "Tom"))
    assert await asyncio.to_thread(began.wait, 5)
    late = threading.Timer(2, gate.set)  # so that one who waits for it does so for a while only
    late.start()
    await retriever.aclose()
    waited = gate.is_set()
    late.cancel()
    gate.set()
    assert await reading == b"630"
    assert not waited
