import json

import pytest
from starlette.exceptions import HTTPException

from cache_core import (
    CacheError,
    DeadlineExceeded,
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
from gateway.http.problems import Refused, answer


@pytest.mark.parametrize(
    ("error", "status", "grpc_status", "reason", "retryable"),
    [
        (KeyRequired(), 400, "INVALID_ARGUMENT", "key-required", False),
        (UnknownGroup(), 404, "NOT_FOUND", "unknown-group", False),
        (NotFound.of("k"), 404, "NOT_FOUND", "key-not-found", False),
        (RetrieverFailed("words"), 500, "INTERNAL", "source-failed", False),
        (SourceUnavailable("words"), 503, "UNAVAILABLE", "source-unavailable", True),
        (PeerUnavailable("words"), 503, "UNAVAILABLE", "node-unavailable", True),
        (Overloaded("words"), 429, "RESOURCE_EXHAUSTED", "overloaded", True),
        (DeadlineExceeded("words"), 504, "DEADLINE_EXCEEDED", "deadline-exceeded", True),
        (NotCached.of("k"), 504, "FAILED_PRECONDITION", "not-cached", False),
        (ValueTooLarge("words"), 502, "RESOURCE_EXHAUSTED", "value-too-large", False),
    ],
)
def test_every_error_is_a_problem(
    error: CacheError, status: int, grpc_status: str, reason: str, retryable: bool
) -> None:
    error.node = "n:1"
    response = answer(error, "/groups/g/keys/k")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert ("retry-after" in response.headers) == (status in {429, 503})
    assert json.loads(bytes(response.body)) == {
        "type": f"urn:gaocache:problem:{reason}",
        "title": reason.replace("-", " ").capitalize(),
        "status": status,
        "detail": str(error),
        "instance": "/groups/g/keys/k",
        "grpc_status": grpc_status,
        "reason": reason,
        "node": "n:1",
        "retryable": retryable,
    }


@pytest.mark.parametrize(
    ("grpc_status", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("OUT_OF_RANGE", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("ABORTED", 409),
        ("RESOURCE_EXHAUSTED", 429),
        ("CANCELLED", 499),
        ("UNKNOWN", 500),
        ("INTERNAL", 500),
        ("DATA_LOSS", 500),
        ("UNIMPLEMENTED", 501),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
def test_every_grpc_status_has_its_http_status(grpc_status: str, status: int) -> None:
    response = answer(UnexpectedStatus("words", status=grpc_status), "/")
    assert response.status_code == status
    assert ("www-authenticate" in response.headers) == (status == 401)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Refused(406, "not-acceptable", "words"), 406, "not-acceptable"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "method-not-allowed"),
    ],
)
def test_the_gateways_own_refusals_have_the_same_shape(
    error: Exception, status: int, reason: str
) -> None:
    response = answer(error, "/path")
    body = json.loads(bytes(response.body))
    assert response.status_code == body["status"] == status
    assert body["reason"] == reason
    assert "node" not in body


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "1"), (0.1, "1"), (5, "5"), (5.2, "6"), (-1, "0"), (1e9, "86400")]
)
def test_retry_after_is_whole_seconds(seconds: float | None, words: str) -> None:
    error = PeerUnavailable("words")
    error.retry_after = seconds
    assert answer(error, "/path").headers["retry-after"] == words


def test_a_refusals_own_headers_go_along() -> None:
    for error in (
        HTTPException(405, headers={"Allow": "GET"}),
        Refused(405, "method-not-allowed", "words", headers={"Allow": "GET"}),
    ):
        assert answer(error, "/path").headers["allow"] == "GET"


def test_what_may_be_kept_for_one_user_only_says_so() -> None:
    remembered = NotFound("words", ttl=9)
    assert answer(remembered, "/path").headers["cache-control"] == "max-age=9"
    private = answer(remembered, "/path", private=True)
    assert private.headers["cache-control"] == "private, max-age=9"


def test_a_bug_says_nothing_of_itself() -> None:
    response = answer(ZeroDivisionError("secret"), "/path")
    assert response.status_code == 500
    assert b"secret" not in response.body
    assert json.loads(bytes(response.body))["reason"] == "internal"
