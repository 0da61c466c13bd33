from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_core.node.popularity import MAX_COUNT, MAX_WIDTH, Popularity

keys = st.sampled_from(["a", "b", "c", "é", "k" * 300, ""]) | st.text(max_size=3)


def test_a_key_that_nobody_asked_for_counts_nothing() -> None:
    assert Popularity(1024).count("a") == 0


def test_each_bump_counts_one_and_says_the_count() -> None:
    popularity = Popularity(1024)
    assert [popularity.bump("a") for _ in range(4)] == [1, 2, 3, 4]
    assert popularity.count("a") == 4


@settings(max_examples=30, deadline=None)
@given(st.lists(keys, max_size=60), st.integers(64, 200))
def test_a_count_is_never_lower_than_what_was_asked(asked: list[str], width: int) -> None:
    check_that_none_is_lower(asked, width)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.lists(keys, max_size=60), st.integers(64, 200))
def test_of_many_keys_no_count_is_lower_than_what_was_asked(asked: list[str], width: int) -> None:
    check_that_none_is_lower(asked, width)


def check_that_none_is_lower(asked: list[str], width: int) -> None:
    popularity = Popularity(width)
    for key in asked:
        assert popularity.bump(key) == popularity.count(key)
    for key, times in Counter(asked).items():
        assert popularity.count(key) >= min(times, MAX_COUNT)


def test_a_count_goes_no_higher_than_its_limit() -> None:
    popularity = Popularity(1024)
    assert max(popularity.bump("a") for _ in range(1000)) == MAX_COUNT


def test_what_was_popular_is_forgotten_while_others_are_asked_for() -> None:
    popularity = Popularity(1024)
    for _ in range(100):
        popularity.bump("once loved")
    counts = []
    for turn in range(6):
        for number in range(1024):
            popularity.bump(f"{turn}-{number}")
        counts.append(popularity.count("once loved"))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] < MAX_COUNT
    assert counts[-1] < 3


@pytest.mark.parametrize("width", [1024, MAX_WIDTH])
def test_of_keys_asked_for_once_hardly_any_counts_three(width: int) -> None:
    popularity = Popularity(width)
    for number in range(3 * width):
        popularity.bump(f"before-{number}")
    wrong = sum(popularity.bump(f"{number}") >= 3 for number in range(width))
    assert wrong < width / 100


@pytest.mark.parametrize(
    ("width", "count"), [(-1, 1), (0, 1), (1, 1), (64, 10), (MAX_WIDTH + 1, 10)]
)
def test_any_width_counts(width: int, count: int) -> None:
    popularity = Popularity(width)
    for _ in range(10):
        popularity.bump("a")
    assert popularity.count("a") == count
