"""Traces of requests to caches, read from files. Knows no cache."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"


class BadTrace(Exception):
    """A file is no trace; the words name the file and, where one is at fault, the line."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in their order, each the number of its key, counted by first appearance.

    `sizes` are the keys' sizes in bytes by that number, or None where the trace has none.
    """

    name: str
    requests: list[int]
    keys: int
    sizes: list[int] | None


def read_trace(file: Path) -> Trace:
    """Read a trace, plain or gzip, of one request a line: `key` or `key,size` in bytes.

    The first line decides whether sizes are given; a key keeps the first size it has. Raises
    BadTrace.
    """
    requests: list[int] = []
    numbers: dict[str, int] = {}
    sizes: list[int] = []
    sized = False
    for number, line in enumerate(_lines(file), 1):
        key, comma, size = line.rpartition(",")
        if number == 1:
            sized = bool(comma) and size.isdecimal()
        if not sized:
            key = line
        elif not comma or not size.isdecimal():
            raise BadTrace(f"{file}:{number}: {line!r} should be `key,size` as line 1 is")
        index = numbers.setdefault(key, len(numbers))
        if sized and index == len(sizes):
            sizes.append(int(size))
        requests.append(index)
    if not requests:
        raise BadTrace(f"{file} has no requests")
    name = file.name.removesuffix(".gz")
    return Trace(name, requests, len(numbers), sizes if sized else None)


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as raw:
            opened = gzip.open if raw.read(2) == GZIP_MAGIC else open
        with opened(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield line.rstrip("\r\n")
    except OSError as error:
        raise BadTrace(f"{file}: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise BadTrace(f"{file} ends early or is no gzip file: {error}") from error
    except UnicodeDecodeError as error:
        raise BadTrace(f"{file} is not UTF-8 text") from error
