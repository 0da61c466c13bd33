import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources.folder_source import data, opened, value

from cache_core import RetrieverFailed, SourceUnavailable, Value
from cache_core.loading.retriever import InvalidSource, Refresher
from cache_core.sources.files.folder import ATTEMPTS, CHUNK
from cache_core.sources.files.retriever import FilesRetriever

NOBODY = 65534


async def test_a_key_is_a_path_below_the_folder(files: FilesRetriever) -> None:
    assert await data(files, "Tom") == b"630"
    assert await data(files, "more/Jack.json") == b"589"
    assert await data(files, "Sam") is None
    assert await data(files, "more") is None
    assert await data(files, "Tom/more") is None
    assert await data(files, "more/../Tom") is None


@pytest.mark.parametrize("key", ["x" * 256, "x/" * 3000 + "x", "\ud800", "é" * 200, "a\0b"])
async def test_what_can_be_no_name_is_no_such_key(files: FilesRetriever, key: str) -> None:
    assert await data(files, key) is None


async def test_pipes_sockets_and_devices_are_no_such_key_and_wait_for_nobody(
    root: Path, files: FilesRetriever
) -> None:
    os.mkfifo(root / "pipe")
    (root / "linked").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(root, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{folder}/socket")  # for a socket's path is short
        os.close(folder)
    assert stat.S_ISSOCK((root / "socket").stat().st_mode)
    for key in ("pipe", "linked", "socket"):
        assert await data(files, key) is None
    if os.geteuid() == 0:
        os.mknod(root / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        assert await data(files, "zero") is None


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user whom permissions hold for, which they don't for root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("denied", ["things", "things/Tom"])
async def test_what_may_not_be_read_is_an_error(denied: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # whose parents anybody may enter
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "things").mkdir()
        (folder / "things" / "Tom").write_bytes(b"630")
        retriever = opened(folder)
        assert await data(retriever, "Tom") == b"630"
        (folder / denied).chmod(0)
        with as_nobody(), pytest.raises(RetrieverFailed, match=r"permission .+ denied") as failed:
            await data(retriever, "Tom")
        assert not failed.value.retryable
        (folder / denied).chmod(0o755)
        await retriever.aclose()


async def test_a_folder_that_may_not_be_entered_fails_its_check() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "things").mkdir(mode=0)
        folder.chmod(0o755)
        with as_nobody(), pytest.raises(InvalidSource, match="permission"):
            await opened(folder).check()


async def test_a_folder_that_is_gone_is_unavailable_until_it_is_back(
    root: Path, files: FilesRetriever
) -> None:
    away = root.rename(root.with_name("away"))
    with pytest.raises(SourceUnavailable, match="the folder can't be opened now"):
        await data(files, "Tom")
    with pytest.raises(InvalidSource, match="there is no folder") as refused:
        await files.check()
    assert refused.value.setting == "url"
    away.rename(root)
    assert await data(files, "Tom") == b"630"
    await files.check()


async def test_a_file_may_have_max_bytes_and_no_more(root: Path) -> None:
    retriever = opened(root.parent, max_bytes=3)
    assert await data(retriever, "Tom") == b"630"
    (root / "Tom").write_bytes(b"6300")
    with pytest.raises(RetrieverFailed, match="max_bytes"):
        await data(retriever, "Tom")
    await retriever.aclose()


class Meddling:
    """`os.read` that overwrites a file, once it has read of it, for the first few `times`."""

    def __init__(self, file: Path, times: int) -> None:
        self._read = os.read
        self._file = file
        self._times = times

    def __call__(self, descriptor: int, size: int) -> bytes:
        got = self._read(descriptor, size)
        if self._times and size == CHUNK and got:
            self._times -= 1
            self._file.write_bytes(bytes([self._file.read_bytes()[0] + 1]) * 2 * CHUNK)
        return got


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
async def test_a_file_that_changes_while_it_is_read_is_read_again(
    root: Path, files: FilesRetriever, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    (root / "big").write_bytes(b"0" * 2 * CHUNK)
    monkeypatch.setattr(os, "read", Meddling(root / "big", times))
    got = await data(files, "big")
    assert got == (root / "big").read_bytes()


async def test_a_file_that_never_stops_changing_is_unavailable(
    root: Path, files: FilesRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "big").write_bytes(b"0" * 2 * CHUNK)
    monkeypatch.setattr(os, "read", Meddling(root / "big", 100))
    with pytest.raises(SourceUnavailable, match="changes while it is read"):
        await data(files, "big")


async def test_a_refresh_reads_only_what_has_changed(root: Path, files: FilesRetriever) -> None:
    assert isinstance(files, Refresher)
    held = (await value(files, "Tom"))._replace(data=b"as held", ttl=-1.0, age=60.0)
    same = await files.refresh("Tom", held)
    assert same == held._replace(ttl=None, age=0.0)
    (root / "new").write_bytes(b"631")
    (root / "new").rename(root / "Tom")
    changed = await files.refresh("Tom", held)
    assert isinstance(changed, Value)
    assert changed.data == b"631"
    assert changed.version != held.version
    (root / "Tom").unlink()
    assert await files.refresh("Tom", held) is None


async def test_a_file_that_is_overwritten_and_given_its_old_time_is_read_again(
    root: Path, files: FilesRetriever
) -> None:
    file = root / "Tom"
    held, before = await value(files, "Tom"), file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # within one tick of the kernel's clock
        file.write_bytes(b"631")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    changed = await files.refresh("Tom", held)
    assert isinstance(changed, Value)
    assert changed.data == b"631"


async def test_the_key_is_put_into_a_template(root: Path) -> None:
    retriever = opened(root.parent, key="more/{key}.json")
    assert await data(retriever, "Jack") == b"589"
    for key in ("../Tom", "..", "Jack.json", "/Jack", "../more/Jack"):
        assert await data(retriever, key) is None
    await retriever.aclose()


async def test_the_extension_gives_the_content_type(root: Path) -> None:
    retriever = opened(root.parent, content_types={".FOO": "text/x-foo"})
    (root / "a.foo").write_bytes(b"")
    assert (await value(retriever, "more/Jack.json")).terms.content_type == "application/json"
    assert (await value(retriever, "a.foo")).terms.content_type == "text/x-foo"
    assert (await value(retriever, "Tom")).terms.content_type == ""
    await retriever.aclose()


async def test_a_folder_may_be_a_file_url(root: Path) -> None:
    odd = root.rename(root.with_name("a b#c"))
    for url in (f"file://{odd.parent}/a%20b%23c", f"file://localhost{odd.parent}/a%20b%23c"):
        retriever = opened(Path("/"), url=url)
        assert await data(retriever, "Tom") == b"630"
        await retriever.aclose()
