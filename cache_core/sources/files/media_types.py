"""A file's media type by its name, the same on every machine."""

from collections.abc import Mapping
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cache_core.settings import MediaType

_MEDIA_TYPE: Final[TypeAdapter[str]] = TypeAdapter(MediaType)

_NEWER: Final = MappingProxyType(
    {
        ".7z": "application/x-7z-compressed",
        ".avif": "image/avif",
        ".bz2": "application/x-bzip2",
        ".geojson": "application/geo+json",
        ".gz": "application/gzip",
        ".js": "text/javascript",
        ".jsonl": "application/jsonl",
        ".md": "text/markdown",
        ".mjs": "text/javascript",
        ".ndjson": "application/x-ndjson",
        ".parquet": "application/vnd.apache.parquet",
        ".pb": "application/protobuf",
        ".toml": "application/toml",
        ".wasm": "application/wasm",
        ".webp": "image/webp",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".xml": "application/xml",
        ".xz": "application/x-xz",
        ".yaml": "application/yaml",
        ".yml": "application/yaml",
        ".zst": "application/zstd",
    }
)
"""The types that Python's own table lacks, or has otherwise in some versions of Python."""


class MediaTypes:
    """The media types of files by the extensions of their names; `own` are those of the config.

    The machine's own tables, such as `/etc/mime.types`, are not read.
    """

    def __init__(self, own: Mapping[str, str]) -> None:
        rare, registered = MimeTypes(filenames=()).types_map
        self._own = own
        self._known = {**rare, **registered, **_NEWER}

    def of(self, path: str, declared: str) -> str:
        """Return the media type of the file at `path`, empty where it is not known.

        The type of its extension in `own` counts first, then the type that its store has
        `declared`, unless that is malformed, then a fixed table.
        """
        extension = PurePosixPath(path).suffix.lower()
        return self._own.get(extension) or _valid(declared) or self._known.get(extension, "")


def _valid(declared: str) -> str:
    try:
        return _MEDIA_TYPE.validate_python(declared)
    except ValidationError:
        return ""
