"""Files in a folder of this machine, out of which no path leads."""

import asyncio
import errno
import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.files.store import File

THREADS: Final = 32
"""How many files of a folder are read at a time.

A folder has threads of its own, so that a disk that hangs holds up no other group.
"""

ATTEMPTS: Final = 5
"""How often a file is read at the most where it changes during each reading."""

MAX_LINKS: Final = 40
"""How many symbolic links may be followed to one file, as in Linux."""

CHUNK: Final = 1024 * 1024

_ONLY_TO_PASS: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_TO_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW

_NO_SUCH_FILE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL}
)
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


class Folder:
    """A FileStore of the regular files in the folder at `root`, of at most `max_bytes` each.

    Anything else at a path (a folder, a pipe, a device) counts as no such file. So does a symbolic
    link that leads out of the folder, and an absolute one wherever it leads. A version is made of
    the file's times, size and inode.
    """

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gaocache-files")

    async def read(self, path: str, *, held: str = "") -> File | None:
        """Return the file at `path` as it was at one moment; None if there is none.

        It comes without data if its version is `held`. Raises SourceUnavailable, RetrieverFailed.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, path, held)

    async def check(self) -> None:
        """Try whether the folder can be entered. Raises InvalidSource, SourceUnavailable."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._check)

    async def aclose(self) -> None:
        """Let the threads end; those that hang are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, path: str, held: str) -> File | None:
        names = path.encode().split(b"/")
        try:
            root = os.open(self._root, _ONLY_TO_PASS)
        except OSError as error:
            if error.errno in _DENIED:
                raise RetrieverFailed("permission for the folder is denied") from error
            raise SourceUnavailable("the folder can't be opened now") from error
        try:
            return self._read_beneath(root, names, held)
        except OSError as error:
            if (meaning := _meaning(error)) is None:
                return None
            raise meaning from error
        finally:
            os.close(root)

    def _read_beneath(self, root: int, names: Sequence[bytes], held: str) -> File | None:
        for _ in range(ATTEMPTS):
            file = open_beneath(root, names)
            try:
                version = _version(os.fstat(file))
                if version == held:
                    return File(None, version)
                data = self._read_whole(file)
                if _version(os.fstat(file)) == version:
                    return File(data, version)
            finally:
                os.close(file)
        raise SourceUnavailable("the file changes while it is read")

    def _read_whole(self, file: int) -> bytes:
        data = bytearray()
        while chunk := os.read(file, CHUNK):
            data += chunk
            if len(data) > self._max_bytes:
                raise RetrieverFailed(f"the file has more than max_bytes, {self._max_bytes}")
        return bytes(data)

    def _check(self) -> None:
        try:
            root = os.open(self._root, _ONLY_TO_PASS)
            try:
                os.stat(".", dir_fd=root)
            finally:
                os.close(root)
        except OSError as error:
            if error.errno in _DENIED:
                raise InvalidSource("url", f"permission for {self._root} is denied") from error
            if error.errno in _NO_SUCH_FILE:
                raise InvalidSource("url", f"there is no folder {self._root}") from error
            raise SourceUnavailable("the folder can't be opened now") from error


def open_beneath(root: int, names: Sequence[bytes]) -> int:
    """Return a descriptor of the regular file that `names` lead to from the folder `root`.

    `root` is a descriptor, too. Each name is looked at and opened within the folder before it, so
    that no rename or link made meanwhile leads outside. Raises OSError: FileNotFoundError where
    `names` lead to no regular file inside the folder.
    """
    with ExitStack() as opened:
        way = [root]
        coming = list(reversed(names))
        links = 0
        while coming:
            name = coming.pop()
            if name in {b"", b"."}:  # only the target of a link has these, or `..`
                continue
            if name == b"..":
                way.pop()
                if not way:
                    break
                continue
            mode = os.stat(name, dir_fd=way[-1], follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                target = os.readlink(name, dir_fd=way[-1])
                links += 1
                if links > MAX_LINKS or target.startswith(b"/"):
                    break
                coming.extend(reversed(target.split(b"/")))
            elif stat.S_ISDIR(mode) and coming:
                way.append(os.open(name, _ONLY_TO_PASS | os.O_NOFOLLOW, dir_fd=way[-1]))
                opened.callback(os.close, way[-1])
            elif stat.S_ISREG(mode) and not coming:
                return _open_regular(name, way[-1])
            else:
                break
    raise FileNotFoundError(errno.ENOENT, "no file inside the folder")


def _open_regular(name: bytes, folder: int) -> int:
    """Return a descriptor of the file `name`, which was a regular one a moment ago.

    Raises FileNotFoundError where it is none any more. Opening does not wait, even for a pipe.
    """
    file = os.open(name, _TO_READ, dir_fd=folder)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise FileNotFoundError(errno.ENOENT, "no regular file")


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_size:x}-{status.st_ino:x}"


def _meaning(error: OSError) -> RetrieverFailed | None:
    """Return the error that a caller gets for `error`; None where there is no such file."""
    if error.errno in _NO_SUCH_FILE:
        return None
    if error.errno in _DENIED:
        return RetrieverFailed("permission to read the file is denied")
    return SourceUnavailable("the file can't be read now")
