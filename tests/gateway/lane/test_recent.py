"""What is remembered of what was asked for lately."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lane.recent import Recent


def test_what_was_put_is_found_and_replaced() -> None:
    recent: Recent[str, int] = Recent(100)
    assert recent.get("a") is None
    recent.put("a", 1, 10)
    recent.put("a", 2, 20)
    assert recent.get("a") == 2


def test_what_is_used_outlives_what_is_not() -> None:
    recent: Recent[object, int] = Recent(100)
    recent.put("used", 1, 10)
    recent.put("unused", 2, 10)
    for key in range(100):
        recent.put(key, 0, 10)
        assert recent.get("used") == 1
    assert recent.get("unused") is None


def test_what_is_too_large_is_not_remembered_and_neither_is_what_it_replaced() -> None:
    recent: Recent[str, int] = Recent(100)
    recent.put("a", 1, 10)
    recent.put("b", 2, 10)
    recent.put("a", 3, 51)
    assert (recent.get("a"), recent.get("b")) == (None, 2)


def test_what_changes_often_takes_no_more_than_its_last_size() -> None:
    recent: Recent[str, int] = Recent(100)
    recent.put("steady", 1, 10)
    for value in range(100):
        recent.put("changing", value, 40)
    assert (recent.get("steady"), recent.get("changing")) == (1, 99)


@pytest.mark.parametrize("others", range(6))
@pytest.mark.parametrize("is_too_large", [False, True])
def test_what_is_dropped_is_gone_however_long_ago_it_came(others: int, is_too_large: bool) -> None:
    recent: Recent[object, int] = Recent(100)
    recent.put("a", 1, 10)
    for other in range(others):
        recent.put(other, 0, 10)
    if is_too_large:
        recent.put("a", 2, 51)
    else:
        recent.drop("a")
    assert recent.get("a") is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60), st.booleans())))
def test_no_more_bytes_are_held_than_allowed(steps: list[tuple[int, int, bool]]) -> None:
    recent: Recent[int, int] = Recent(100)
    newest: dict[int, int] = {}
    for key, size, is_put in steps:
        if is_put:
            recent.put(key, size, size)
            newest[key] = size
        elif (found := recent.get(key)) is not None:
            assert found == newest[key]
    held = [found for found in map(recent.get, newest) if found is not None]
    assert sum(held) <= 100
