"""What an answer says of its type and its lifetime where it did not say so itself."""

import pytest

from gateway.middleware.defaults import with_defaults

NOSNIFF = (b"x-content-type-options", b"nosniff")


@pytest.mark.parametrize(
    ("sent", "added"),
    [
        ([], [NOSNIFF, (b"cache-control", b"no-store")]),
        ([(b"etag", b'"x"')], [NOSNIFF, (b"cache-control", b"no-cache")]),
        ([(b"cache-control", b"max-age=5")], [NOSNIFF]),
        ([(b"etag", b'"x"'), (b"cache-control", b"max-age=5")], [NOSNIFF]),
        ([NOSNIFF, (b"cache-control", b"max-age=5")], []),
    ],
)
def test_what_is_missing_is_put_behind_what_was_sent(
    sent: list[tuple[bytes, bytes]], added: list[tuple[bytes, bytes]]
) -> None:
    assert with_defaults(sent) == [*sent, *added]
