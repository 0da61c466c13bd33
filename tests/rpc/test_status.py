import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from cache_core import (
    CacheError,
    DeadlineExceeded,
    InvalidKey,
    KeyRequired,
    NotFound,
    Overloaded,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnexpectedStatus,
    UnknownGroup,
    ValueTooLarge,
)
from cache_core.rpc.status import DETAILS_KEY, from_status, to_status

KINDS = [
    (KeyRequired, grpc.StatusCode.INVALID_ARGUMENT),
    (InvalidKey, grpc.StatusCode.INVALID_ARGUMENT),
    (UnknownGroup, grpc.StatusCode.NOT_FOUND),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (RetrieverFailed, grpc.StatusCode.INTERNAL),
    (SourceUnavailable, grpc.StatusCode.UNAVAILABLE),
    (PeerUnavailable, grpc.StatusCode.UNAVAILABLE),
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
    (ValueTooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
]


@pytest.mark.parametrize(("kind", "code"), KINDS)
def test_an_error_keeps_its_kind_and_words_across_the_wire(
    kind: type[CacheError], code: grpc.StatusCode
) -> None:
    sent_code, words, metadata = to_status(kind("wörds"))
    assert sent_code is code
    back = from_status(sent_code, words, metadata, node="n:1")
    assert type(back) is kind
    assert str(back) == "wörds"
    assert back.node == "n:1"


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused", PeerUnavailable),
        (grpc.StatusCode.CANCELLED, "CANCELLED", PeerUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", DeadlineExceeded),
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "CLIENT: Received message larger than max (5 vs. 4)",
            ValueTooLarge,
        ),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota", UnexpectedStatus),
        (grpc.StatusCode.PERMISSION_DENIED, "no", UnexpectedStatus),
        (grpc.StatusCode.UNKNOWN, "Tom not exist", UnexpectedStatus),
    ],
)
def test_a_status_without_our_reason_is_told_by_its_code(
    code: grpc.StatusCode, words: str, kind: type[CacheError]
) -> None:
    error = from_status(code, words, (), node="n:1")
    assert type(error) is kind


@pytest.mark.parametrize("status", ["OK", "", "NO_SUCH", "ok", "value"])
def test_a_status_that_is_no_failure_of_grpcs_travels_as_unknown(status: str) -> None:
    code, words, metadata = to_status(UnexpectedStatus("words", status=status))
    assert code is grpc.StatusCode.UNKNOWN
    back = from_status(code, words, metadata, node="n:1")
    assert type(back) is UnexpectedStatus
    assert back.status == "UNKNOWN"


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("w" * 1024, "w" * 1024),
        ("w" * 1025, "w" * 1024 + "…"),
        ("w" + "é" * 512, "w" + "é" * 511 + "…"),
        ("a\ud800b", "a?b"),
    ],
)
def test_words_are_cut_between_characters_after_a_kibibyte(words: str, sent: str) -> None:
    _, said, ((_, details),) = to_status(NotFound(words))
    assert said == sent
    assert Status.FromString(details).message == sent


def foreign_details() -> bytes:
    info = Any()
    info.Pack(ErrorInfo(reason="key-not-found", domain="elsewhere.example"))
    return Status(details=[info]).SerializeToString()


@pytest.mark.parametrize("details", [b"", b"\xff", foreign_details(), "text"])
def test_details_that_are_not_ours_are_passed_over(details: bytes | str) -> None:
    error = from_status(grpc.StatusCode.NOT_FOUND, "words", ((DETAILS_KEY, details),), node="n:1")
    assert type(error) is UnexpectedStatus
    assert error.status == "NOT_FOUND"
