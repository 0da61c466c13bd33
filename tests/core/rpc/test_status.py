import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from cache_core import (
    CacheError,
    DeadlineExceeded,
    InvalidKey,
    KeyRequired,
    NotCached,
    NotFound,
    Overloaded,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnexpectedStatus,
    UnknownGroup,
    ValueTooLarge,
)
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.wire.status import DETAILS_KEY, from_status, to_status

KINDS = [
    (KeyRequired, StatusCode.INVALID_ARGUMENT),
    (InvalidKey, StatusCode.INVALID_ARGUMENT),
    (UnknownGroup, StatusCode.NOT_FOUND),
    (NotFound, StatusCode.NOT_FOUND),
    (NotCached, StatusCode.FAILED_PRECONDITION),
    (RetrieverFailed, StatusCode.INTERNAL),
    (SourceUnavailable, StatusCode.UNAVAILABLE),
    (PeerUnavailable, StatusCode.UNAVAILABLE),
    (Overloaded, StatusCode.RESOURCE_EXHAUSTED),
    (DeadlineExceeded, StatusCode.DEADLINE_EXCEEDED),
    (ValueTooLarge, StatusCode.RESOURCE_EXHAUSTED),
]


@pytest.mark.parametrize(("kind", "code"), KINDS)
def test_an_error_keeps_its_kind_and_words_across_the_wire(
    kind: type[CacheError], code: StatusCode
) -> None:
    sent_code, words, metadata = to_status(kind("wörds"))
    assert sent_code is code
    back = from_status(sent_code, words, metadata, node="n:1")
    assert type(back) is kind
    assert str(back) == "wörds"
    assert back.node == "n:1"


def test_the_time_to_try_again_travels() -> None:
    busy = Overloaded("busy")
    busy.retry_after = 2.5
    strange = UnexpectedStatus("quota", status="RESOURCE_EXHAUSTED")
    strange.retry_after = 7
    for error in (busy, strange):
        back = from_status(*to_status(error), node="n:1")
        assert back.retry_after == error.retry_after
    assert from_status(*to_status(NotFound("words")), node="n:1").retry_after is None


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (StatusCode.UNAVAILABLE, "connection refused", PeerUnavailable),
        (StatusCode.CANCELLED, "CANCELLED", PeerUnavailable),
        (StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", DeadlineExceeded),
        (
            StatusCode.RESOURCE_EXHAUSTED,
            "CLIENT: Received message larger than max (5 vs. 4)",
            ValueTooLarge,
        ),
        (StatusCode.RESOURCE_EXHAUSTED, "quota", UnexpectedStatus),
        (StatusCode.PERMISSION_DENIED, "no", UnexpectedStatus),
        (StatusCode.UNKNOWN, "Tom not exist", UnexpectedStatus),
    ],
)
def test_a_status_without_our_reason_is_told_by_its_code(
    code: StatusCode, words: str, kind: type[CacheError]
) -> None:
    error = from_status(code, words, (), node="n:1")
    assert type(error) is kind


@pytest.mark.parametrize("status", ["OK", "", "NO_SUCH", "ok", "value"])
def test_a_status_that_is_no_failure_of_grpcs_travels_as_unknown(status: str) -> None:
    code, words, metadata = to_status(UnexpectedStatus("words", status=status))
    assert code is StatusCode.UNKNOWN
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


@pytest.mark.parametrize("ttl", [None, 0.0, 36.5])
def test_a_missing_key_says_across_the_wire_how_long_it_is_remembered(ttl: float | None) -> None:
    code, words, metadata = to_status(NotFound("words", node="owner:1", ttl=ttl))
    back = from_status(code, words, metadata, node="n:1")
    assert isinstance(back, NotFound)
    assert (back.ttl, back.node) == (ttl, "owner:1")


@pytest.mark.parametrize("said", ["", "soon", "nan", "inf", "-1", "1e9", "9" * 400])
def test_a_time_that_is_none_is_not_told(said: str) -> None:
    info = Any()
    info.Pack(ErrorInfo(reason="key-not-found", domain="gaocache", metadata={"ttl": said}))
    details = Status(details=[info]).SerializeToString()
    back = from_status(StatusCode.NOT_FOUND, "words", ((DETAILS_KEY, details),), node="n:1")
    assert isinstance(back, NotFound)
    assert back.ttl is None


def foreign_details() -> bytes:
    info = Any()
    info.Pack(ErrorInfo(reason="key-not-found", domain="elsewhere.example"))
    return Status(details=[info]).SerializeToString()


@pytest.mark.parametrize("details", [b"", b"\xff", foreign_details(), "text"])
def test_details_that_are_not_ours_are_passed_over(details: bytes | str) -> None:
    error = from_status(StatusCode.NOT_FOUND, "words", ((DETAILS_KEY, details),), node="n:1")
    assert type(error) is UnexpectedStatus
    assert error.status == "NOT_FOUND"
