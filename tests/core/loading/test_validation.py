from math import inf, nan

import pytest

from cache_core import NotFound, RetrieverFailed, Terms, Value
from cache_core.loading.retriever import Retrieved
from cache_core.loading.validation import MAX_VERSION, checked


def test_none_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"^k not exist$"):
        checked(None, "k", group="g")


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (b"", Value(b"")),
        (b"1", Value(b"1")),
        (Value(b"1", ttl=5, age=3, version='"1"'), Value(b"1", ttl=5, age=3, version='"1"')),
        (Value(b"", ttl=-1), Value(b"", ttl=-1)),
        (Value(b"", ttl=inf), Value(b"", ttl=inf)),
        (Value(b"", ttl=0, age=0), Value(b"", ttl=0)),
        (Value(b"", terms=Terms(content_type="a/b")), Value(b"", terms=Terms(content_type="a/b"))),
        (Value(b"", version="v" * MAX_VERSION), Value(b"", version="v" * MAX_VERSION)),
        (Value(b"", version="v" * (MAX_VERSION + 1)), Value(b"")),
    ],
)
def test_what_a_retriever_may_return_is_taken_as_it_is_but_for_an_endless_version(
    found: Retrieved, value: Value
) -> None:
    assert checked(found, "k", group="g") == value


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("630", "str, not bytes"),
        (Value(None), "NoneType, not bytes"),  # type: ignore[arg-type]
        (Value(b"", ttl=nan), "the ttl nan"),
        (Value(b"", ttl=10**400), "the ttl of too many digits"),
        (Value(b"", ttl=-(10**400)), "the ttl of too many digits"),
        (Value(b"", ttl=10**5_000), "the ttl of too many digits"),
        (Value(b"", age=nan), "the age nan"),
        (Value(b"", age=inf), "the age inf"),
        (Value(b"", age=10**400), "the age of too many digits"),
        (Value(b"", age=-0.1), r"the age -0\.1"),
        (Value(b"", age=None), "the age None"),  # type: ignore[arg-type]
        (Value(b"", version=None), "the version None"),  # type: ignore[arg-type]
        (Value(b"", version="a\udcff"), "the version"),
        (Value(b"", terms=Terms(content_type="a/b\r\nX: y")), "the content type"),
    ],
)
def test_what_no_retriever_may_return_is_an_error_that_says_so(
    found: Retrieved, words: str
) -> None:
    with pytest.raises(RetrieverFailed, match=f"^the retriever of group g returned {words}"):
        checked(found, "k", group="g")
