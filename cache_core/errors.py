"""The one tree of errors that a get can end in.

Knows nothing of gRPC or HTTP beyond the names of gRPC's status codes, which are the vocabulary
that both edges translate from: `rpc/wire/status.py` and `gateway/http/problems.py`.
"""

from typing import ClassVar, Final


class CacheError(Exception):
    """The base of all errors that a get can end in; its text is fit for the caller's eyes.

    `status` is the name of a gRPC status code, `reason` a stable word for programs. `retryable`
    says whether the same call may succeed later, and `retry_after` in how many seconds it may be
    tried again, None where that is not known. `node` is the address of the node that answered, None
    where the error did not come over the wire.
    """

    status: str = "UNKNOWN"
    reason: str = "unknown"
    retryable: ClassVar[bool] = False
    retry_after: float | None = None

    def __init__(self, message: str, *, node: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.node = node


class KeyRequired(CacheError):
    """The key is empty."""

    status = "INVALID_ARGUMENT"
    reason = "key-required"

    def __init__(self, message: str = "key required", *, node: str | None = None) -> None:
        super().__init__(message, node=node)


MAX_KEY_BYTES: Final = 1024
"""The longest key, in bytes of UTF-8."""


class InvalidKey(CacheError):
    """The group or the key is text that UTF-8 can't carry, or the key is too long.

    Such text has a lone surrogate. A key has MAX_KEY_BYTES at the most.
    """

    status = "INVALID_ARGUMENT"
    reason = "invalid-key"

    @classmethod
    def check(cls, *names: str) -> None:
        """Raise InvalidKey where one of `names` is text that UTF-8 can't carry, or too long."""
        try:
            size = max([len(name.encode()) for name in names])
        except UnicodeEncodeError as error:
            raise cls from error
        if size > MAX_KEY_BYTES:
            raise cls(f"a key has at most {MAX_KEY_BYTES} bytes, and this one {size}")

    def __init__(
        self,
        message: str = "the group and key should be UTF-8 text",
        *,
        node: str | None = None,
    ) -> None:
        super().__init__(message, node=node)


class UnknownGroup(CacheError):
    """The node has no group of that name."""

    status = "NOT_FOUND"
    reason = "unknown-group"

    def __init__(self, message: str = "group not found", *, node: str | None = None) -> None:
        super().__init__(message, node=node)


class NotFound(CacheError):
    """The source has no such key.

    `ttl` is the seconds for which that is remembered, None where it is not.
    """

    status = "NOT_FOUND"
    reason = "key-not-found"

    def __init__(self, message: str, *, node: str | None = None, ttl: float | None = None) -> None:
        super().__init__(message, node=node)
        self.ttl = ttl

    @classmethod
    def of(cls, key: str) -> "NotFound":
        """Return the error for `key`, in the words `<key> not exist`."""
        return cls(f"{key} not exist")


class NotCached(CacheError):
    """No value that may be answered is held for the key, and the get's demand forbids a load."""

    status = "FAILED_PRECONDITION"
    reason = "not-cached"

    @classmethod
    def of(cls, key: str) -> "NotCached":
        """Return the error for `key`."""
        return cls(f"{key} is not cached")


class RetrieverFailed(CacheError):
    """The retriever or its source is at fault: it raised, or it returned no proper value."""

    status = "INTERNAL"
    reason = "source-failed"


class SourceUnavailable(RetrieverFailed):
    """The source can't be reached or can't answer now."""

    status = "UNAVAILABLE"
    reason = "source-unavailable"
    retryable = True


class PeerUnavailable(CacheError):
    """The node can't be reached, is draining or has not been started, or no member is known."""

    status = "UNAVAILABLE"
    reason = "node-unavailable"
    retryable = True


class Overloaded(CacheError):
    """More loads wait than the group's `load_queue` allows."""

    status = "RESOURCE_EXHAUSTED"
    reason = "overloaded"
    retryable = True
    retry_after = 1.0


class DeadlineExceeded(CacheError):
    """No answer came within the caller's deadline."""

    status = "DEADLINE_EXCEEDED"
    reason = "deadline-exceeded"
    retryable = True


class ValueTooLarge(CacheError):
    """The value is larger than a message may be."""

    status = "RESOURCE_EXHAUSTED"
    reason = "value-too-large"


class UnexpectedStatus(CacheError):
    """A server that is no node of ours, or a proxy, answered with the gRPC status `status`.

    `status` is INTERNAL where an answer can't be read or lacks a key, and where the client failed.
    """

    reason = "unexpected-status"

    def __init__(self, message: str, *, status: str, node: str | None = None) -> None:
        super().__init__(message, node=node)
        self.status = status
