"""Files in a bucket of Amazon S3, of a service that speaks like it, or of Google Cloud Storage."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

import obstore
from obstore.exceptions import (
    BaseError,
    NotModifiedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import GCSStore, S3Store

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.sources.files.settings import FilesSource
from cache_core.sources.files.store import File

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import ClientConfig, GCSConfig, RetryConfig, S3Config

CONNECT: Final = timedelta(seconds=2)
SILENCE: Final = timedelta(seconds=10)
"""How long a bucket may say nothing in the middle of an answer."""

WHOLE: Final = timedelta(hours=1)
"""How long an answer may take; a group's `load_timeout` is mostly shorter, and ends the call."""

RETRIES: Final["RetryConfig"] = {
    "max_retries": 1,
    "retry_timeout": timedelta(seconds=2),
    "backoff": {
        "init_backoff": timedelta(milliseconds=50),
        "max_backoff": timedelta(milliseconds=500),
        "base": 2,
    },
}
"""One more try, for a kept connection that the bucket has closed.

Further tries are the group's later loads.
"""

MAX_NAME: Final = 1024
"""The longest name of an object, in bytes, both at Amazon and at Google."""

PROBE: Final = ".gaocache"
"""The object that is asked for to see whether the bucket answers; it need not exist."""

REFUSED: Final = (
    "the bucket refuses the credentials: they should be right, and allow to read objects and to "
    "list the bucket"
)
NO_BUCKET: Final = "there is no such bucket"

_NO_BUCKET_CODE: Final = re.compile(r"<Code>NoSuchBucket</Code>")
_STATUS: Final = re.compile(r"non-2xx status code: (\d{3})")
_RETRYABLE: Final = frozenset({408, 429})
_NO_TYPES: Final = frozenset({"", "binary/octet-stream", "application/octet-stream"})
"""The media types that buckets give to objects that were put without one."""


class Bucket:
    """A FileStore of the objects in `bucket` below `prefix`, of at most `source.max_bytes` each.

    `scheme` is s3 or gs. A version is the object's ETag. Without credentials in `source`, those of
    the environment or of the machine are taken. Raises InvalidSource.
    """

    def __init__(self, source: FilesSource, *, scheme: str, bucket: str, prefix: str) -> None:
        self._max_bytes = source.max_bytes
        self._longest = MAX_NAME - len(f"{prefix}/".encode() if prefix else b"")
        open_store = _open_s3 if scheme == "s3" else _open_gcs
        try:
            self._store = open_store(source, bucket, prefix)
        except (BaseError, ValueError, OSError):
            # What the library says may quote a credential.
            raise InvalidSource(
                "url", "the credentials and settings in the environment can't be used"
            ) from None

    async def read(self, path: str, *, held: str = "") -> File | None:
        """Return the object at `path`, without data if its ETag is `held`; None if there is none.

        Raises SourceUnavailable, RetrieverFailed.
        """
        if len(path.encode()) > self._longest:
            return None
        try:
            found = await obstore.get_async(
                self._store, path, options={"if_none_match": held} if held else None
            )
            if found.meta["size"] > self._max_bytes:
                raise RetrieverFailed(f"the object has more than max_bytes, {self._max_bytes}")
            data = bytes(await found.bytes_async())
        except NotModifiedError:
            return File(None, held)
        except FileNotFoundError as error:
            if _NO_BUCKET_CODE.search(str(error)):
                raise RetrieverFailed(NO_BUCKET) from None
            return None
        except (BaseError, OSError) as error:
            _raise(error)
        declared = found.attributes.get("Content-Type", "")
        return File(data, found.meta["e_tag"] or "", "" if declared in _NO_TYPES else str(declared))

    async def check(self) -> None:
        """Ask the bucket for an object that need not exist.

        Raises InvalidSource, SourceUnavailable.
        """
        try:
            await self.read(PROBE)
        except SourceUnavailable:
            raise
        except RetrieverFailed as error:
            raise InvalidSource("url", str(error)) from error

    async def aclose(self) -> None:
        """Do nothing, because the connections end with the store."""


def _raise(error: Exception) -> NoReturn:
    """Raise the CacheError that `error` means, in our words: its own quote requests and answers."""
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        raise RetrieverFailed(REFUSED) from None
    status = _STATUS.search(str(error))
    if status and status[1].startswith("4") and int(status[1]) not in _RETRYABLE:
        raise RetrieverFailed(f"the bucket answers {status[1]}") from None
    raise SourceUnavailable("the bucket can't be reached or can't answer now") from None


def _open_s3(source: FilesSource, bucket: str, prefix: str) -> S3Store:
    config: S3Config = {}
    if source.endpoint is not None:
        config["endpoint"] = source.endpoint
    if source.region is not None:
        config["region"] = source.region
    if source.access_key is not None and source.secret_key is not None:
        config["access_key_id"] = source.access_key.get_secret_value()
        config["secret_access_key"] = source.secret_key.get_secret_value()
    if source.anonymous:
        config["skip_signature"] = True
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options=_client_options(source),
        retry_config=RETRIES,
    )


def _open_gcs(source: FilesSource, bucket: str, prefix: str) -> GCSStore:
    config: GCSConfig = {}
    if source.endpoint is not None:
        config["base_url"] = source.endpoint
    if source.anonymous:
        config["skip_signature"] = True
    return GCSStore(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options=_client_options(source),
        retry_config=RETRIES,
    )


def _client_options(source: FilesSource) -> "ClientConfig":
    return {
        "allow_http": (source.endpoint or "").startswith("http://"),
        "connect_timeout": CONNECT,
        "read_timeout": SILENCE,
        "timeout": WHOLE,
    }
