import pytest

from gateway.http.fields import MAX_CHARACTERS, joined, members


def test_lines_of_one_name_are_one_list() -> None:
    raw = [(b"accept", b"a/b"), (b"range", b"bytes=0-1"), (b"accept", b"c/d")]
    assert joined(raw) == {"accept": "a/b, c/d", "range": "bytes=0-1"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", []),
        (", ,", []),
        ("a,b ,  c", ["a", "b", "c"]),
        ('a;x="1,2", b', ['a;x="1,2"', "b"]),
        ('a;x="\\",", b', ['a;x="","', "b"]),
        ('a, "never closed, b', ["a", '"never closed, b']),
        ("a" * (MAX_CHARACTERS + 1), []),
    ],
)
def test_a_list_has_the_members_between_its_commas(field: str, expected: list[str]) -> None:
    assert members(field) == expected
