"""The retriever for a source that is a folder or a bucket of files."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from cache_core.loading.retriever import InvalidSource, Retrieved
from cache_core.sources.files.folder import Folder
from cache_core.sources.files.media_types import MediaTypes
from cache_core.sources.files.settings import FilesSource
from cache_core.sources.files.store import FileStore, is_plain
from cache_core.value import Terms, Value

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET: Final = re.compile(r"(s3|gs)://([A-Za-z0-9][A-Za-z0-9._-]*)(?:/(.*))?", re.DOTALL)
_FOR_BUCKETS: Final = ("endpoint", "region", "access_key", "secret_key", "anonymous")
_FOR_S3: Final = ("region", "access_key", "secret_key")


class FilesRetriever:
    """A CheckedRetriever and Refresher for the folder or bucket that `source` describes.

    The key is put into `source.key`, which makes a path below the URL. A path that is not plain
    (see `is_plain`), such as `../x`, is no such key. A relative path of a folder starts at
    `folder`. The value's content type is the one that `source` gives for the extension, else the
    bucket's own, else that of a fixed table. Raises InvalidSource.
    """

    def __init__(self, source: FilesSource, *, folder: Path) -> None:
        if not is_plain(source.key):
            raise InvalidSource("key", "it should be a path below the URL, like data/{key}.json")
        self._key = source.key
        self._media_types = MediaTypes(source.content_types)
        self._store = _open_store(source, folder)

    async def retrieve(self, key: str) -> Retrieved:
        """Return the value for `key`, or None. Raises SourceUnavailable, RetrieverFailed."""
        return await self._load(key, None)

    async def refresh(self, key: str, held: Value) -> Retrieved:
        """Return the value for `key`, or `held` with new times where the file is the same.

        Raises SourceUnavailable, RetrieverFailed.
        """
        return await self._load(key, held)

    async def check(self) -> None:
        """Ask the source whether it can serve. Raises InvalidSource, SourceUnavailable."""
        await self._store.check()

    async def aclose(self) -> None:
        """Let go of the source."""
        await self._store.aclose()

    async def _load(self, key: str, held: Value | None) -> Retrieved:
        path = self._key.replace("{key}", key)
        if not is_plain(path):
            return None
        file = await self._store.read(path, held=held.version if held else "")
        if file is None:
            return None
        if file.data is None:
            return held and held._replace(ttl=None, age=0.0)
        content_type = self._media_types.of(path, file.media_type)
        return Value(file.data, version=file.version, terms=Terms(content_type=content_type))


def _open_store(source: FilesSource, folder: Path) -> FileStore:
    scheme = _SCHEME.match(source.url)
    if scheme is None:
        return _open_folder(source, folder / source.url)
    match scheme[1].lower():
        case "file":
            return _open_folder(source, _file_path(source.url))
        case "s3" | "gs":
            return _open_bucket(source)
        case other:
            raise InvalidSource("url", f"{other}:// is not known, use a folder, s3:// or gs://")


def _open_folder(source: FilesSource, root: Path) -> Folder:
    _refuse(source, _FOR_BUCKETS, "it is for buckets, s3:// and gs://")
    if "\0" in str(root):
        raise InvalidSource("url", "it should be the path of a folder")
    return Folder(root, max_bytes=source.max_bytes)


def _file_path(url: str) -> Path:
    """Return the path that a file URL (RFC 8089) names on this machine. Raises InvalidSource."""
    with contextlib.suppress(ValueError):  # from a text that is no URL at all
        parts = urlsplit(url)
        if parts.netloc in {"", "localhost"} and parts.path and not parts.query + parts.fragment:
            return Path(unquote(parts.path))
    raise InvalidSource("url", "it should be like file:///srv/data")


def _open_bucket(source: FilesSource) -> FileStore:
    match = _BUCKET.fullmatch(source.url)
    prefix = (match[3] or "").strip("/") if match else ""
    if match is None or (prefix and not is_plain(prefix)):
        raise InvalidSource("url", "it should be like s3://bucket or s3://bucket/folder")
    if match[1] == "gs":
        _refuse(source, _FOR_S3, "it is for s3://, Google's credentials are of the environment")
    try:
        from cache_core.sources.files.bucket import Bucket  # noqa: PLC0415 - the library is an extra
    except ModuleNotFoundError as error:
        words = "it needs the extra `buckets`: pip install 'gaocache[buckets]'"
        raise InvalidSource("url", words) from error
    return Bucket(source, scheme=match[1], bucket=match[2], prefix=prefix)


def _refuse(source: FilesSource, settings: Sequence[str], words: str) -> None:
    for setting in settings:
        if setting in source.model_fields_set:
            raise InvalidSource(setting, words)
