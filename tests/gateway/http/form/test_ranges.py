import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.form.ranges import content_range, select


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("bytes=0-4", range(5)),
        ("bytes=2-", range(2, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=0-99", range(10)),
        ("BYTES = 0-4 ", range(5)),
        ("bytes=,0-4,", range(5)),
        ("bytes=0-" + "9" * 64, range(10)),
    ],
)
def test_one_range_is_what_there_is_of_it(field: str, part: range) -> None:
    assert select(field, 10) == part


@pytest.mark.parametrize("field", ["bytes=0-1,3-4", "bytes=0-1,99-", "bytes=0-,0-", "bytes=-1,-2"])
def test_several_ranges_are_the_whole(field: str) -> None:
    assert select(field, 10) is None


@pytest.mark.parametrize("field", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=10-,99-"])
def test_ranges_of_which_none_is_satisfiable_are_an_empty_part(field: str) -> None:
    part = select(field, 10)
    assert part is not None
    assert not part
    assert content_range(part, 10) == "bytes */10"


@pytest.mark.parametrize(
    "field",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=4-2",
        "bytes=a-b",
        "bytes=0-1-2",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes=٣-٤",
        "bytes=0-1,x",
        "bytes=0-1, bytes=2-3",
        "lines=0-4",
        "bytes=0-" + "9" * 65,
    ],
)
def test_a_malformed_range_is_ignored(field: str) -> None:
    assert select(field, 10) is None


@pytest.mark.parametrize(
    ("field", "part"), [("bytes=0-", range(0)), ("bytes=-0", range(0)), ("bytes=-5", None)]
)
def test_of_nothing_there_is_no_part_but_all_of_it(field: str, part: range | None) -> None:
    assert select(field, 0) == part


def test_a_content_range_names_the_first_and_the_last_byte() -> None:
    assert content_range(range(2, 5), 10) == "bytes 2-4/10"


@given(st.from_regex(r"bytes=[0-9]{0,3}-[0-9]{0,3}", fullmatch=True), st.binary(max_size=300))
def test_a_part_is_the_slice_that_was_asked_for(field: str, body: bytes) -> None:
    first, _, last = field.removeprefix("bytes=").partition("-")
    part = select(field, len(body))
    if part is None:
        assert not first or (last and int(last) < int(first))
    elif not first:
        assert body[part.start : part.stop] == body[max(len(body) - int(last), 0) :]
    else:
        expected = body[int(first) : int(last) + 1 if last else None]
        assert body[part.start : part.stop] == expected


@given(st.text(), st.integers(0, 100))
def test_any_text_is_a_part_within_the_body_or_none(field: str, size: int) -> None:
    for asked in (field, f"bytes={field}"):
        part = select(asked, size)
        assert not part or 0 <= part.start < part.stop <= size


def test_of_very_many_ranges_none_is_looked_at() -> None:
    nowhere = ",".join(["9-9"] * 17)
    assert select(f"bytes={nowhere}", 5) == range(9, 5)
    assert select(f"bytes={nowhere},9-9", 5) is None
