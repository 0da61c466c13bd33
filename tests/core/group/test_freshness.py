from math import inf, nextafter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cache_core.group.freshness import Expiries, Freshness, Rules
from cache_core.memory.entry import Entry

times = st.floats(0, 1e7)
ttls = st.floats(0, 1e7)
shares = st.floats(0, 1, exclude_max=True)
chances = st.floats(0, 1)


def entry_of(expiries: Expiries) -> Entry:
    return Entry(b"", 0.0, *expiries)


@given(now=times, ttl=ttls, jitter=shares, chance=chances)
def test_jitter_only_shortens_a_ttl_and_by_no_more_than_its_share(
    now: float, ttl: float, jitter: float, chance: float
) -> None:
    soft, hard = Rules(ttl=ttl, jitter=jitter).expiries(now, None, chance)
    assert now + ttl * (1 - jitter) <= soft <= now + ttl
    assert hard == soft


@given(jitter=shares, one=chances, other=chances)
def test_the_greater_the_chance_the_earlier_the_expiry(
    jitter: float, one: float, other: float
) -> None:
    rules = Rules(ttl=100.0, jitter=jitter)
    early, late = sorted((one, other), reverse=True)
    assert rules.expiries(0.0, None, early).soft <= rules.expiries(0.0, None, late).soft


def test_the_whole_jitter_and_none_of_it_are_the_bounds() -> None:
    rules = Rules(ttl=100.0, jitter=0.25)
    assert rules.expiries(1000.0, None, 0.0).soft == 1100.0
    assert rules.expiries(1000.0, None, 1.0).soft == 1075.0


def test_without_a_ttl_a_value_never_expires() -> None:
    rules = Rules(jitter=0.5, stale_while_revalidate=5.0, stale_if_error=5.0)
    expiries = rules.expiries(1000.0, None, 1.0)
    assert expiries == Expiries(inf, inf)
    assert rules.judge(entry_of(expiries), 1e300) is Freshness.FRESH


def test_the_sources_own_ttl_takes_the_place_of_the_rule() -> None:
    assert Rules(ttl=100.0).expiries(0.0, 7.0, 0.0).soft == 7.0
    assert Rules().expiries(0.0, 7.0, 0.0).soft == 7.0
    assert Rules(ttl=100.0, jitter=0.5).expiries(0.0, 8.0, 1.0).soft == 4.0
    assert Rules(ttl=100.0).expiries(5.0, 0.0, 1.0).soft == 5.0


@pytest.mark.parametrize(("revalidate", "on_error"), [(30.0, 20.0), (20.0, 30.0), (30.0, 30.0)])
def test_a_value_is_of_use_for_the_longer_of_its_two_graces(
    revalidate: float, on_error: float
) -> None:
    rules = Rules(ttl=10.0, stale_while_revalidate=revalidate, stale_if_error=on_error)
    assert rules.expiries(0.0, None, 0.0) == Expiries(10.0, 40.0)


@pytest.mark.parametrize(
    ("now", "good_for"),
    [
        (0.0, Freshness.FRESH),
        (nextafter(10.0, 0.0), Freshness.FRESH),
        (10.0, Freshness.STALE),
        (nextafter(15.0, 0.0), Freshness.STALE),
        (15.0, Freshness.FALLBACK),
        (nextafter(40.0, 0.0), Freshness.FALLBACK),
        (40.0, Freshness.GONE),
        (1e9, Freshness.GONE),
    ],
)
def test_what_a_value_is_good_for_changes_at_each_border(now: float, good_for: Freshness) -> None:
    rules = Rules(ttl=10.0, stale_while_revalidate=5.0, stale_if_error=30.0)
    assert rules.judge(entry_of(rules.expiries(0.0, None, 0.0)), now) is good_for


@pytest.mark.parametrize(
    ("rules", "good_for"),
    [
        (Rules(ttl=10.0), Freshness.GONE),
        (Rules(ttl=10.0, stale_while_revalidate=5.0), Freshness.STALE),
        (Rules(ttl=10.0, stale_if_error=5.0), Freshness.FALLBACK),
        (Rules(ttl=10.0, stale_while_revalidate=9.0, stale_if_error=5.0), Freshness.STALE),
    ],
)
def test_an_expired_value_is_good_for_what_the_rules_allow(
    rules: Rules, good_for: Freshness
) -> None:
    entry = entry_of(rules.expiries(0.0, None, 0.0))
    assert rules.judge(entry, 10.0) is good_for
    assert rules.judge(entry, entry.hard) is Freshness.GONE


def test_nothing_held_is_good_for_nothing() -> None:
    assert Rules().judge(None, 0.0) is Freshness.GONE


@given(
    now=times, later=times, ttl=ttls, revalidate=ttls, on_error=ttls, jitter=shares, chance=chances
)
def test_a_value_never_gets_better_with_time(
    now: float,
    later: float,
    ttl: float,
    revalidate: float,
    on_error: float,
    jitter: float,
    chance: float,
) -> None:
    rules = Rules(
        ttl=ttl, jitter=jitter, stale_while_revalidate=revalidate, stale_if_error=on_error
    )
    entry = entry_of(rules.expiries(0.0, None, chance))
    now, later = sorted((now, later))
    assert rules.judge(entry, now).value <= rules.judge(entry, later).value


@given(left=st.floats(5.0, 1e6), chance=chances)
def test_nothing_is_refreshed_before_refresh_ahead(left: float, chance: float) -> None:
    rules = Rules(ttl=1e6, refresh_ahead=5.0)
    assert not rules.is_due(entry_of(Expiries(left, left)), 0.0, chance)


@given(left=st.floats(0, 1e6, exclude_min=True), chance=chances)
def test_without_refresh_ahead_nothing_is_refreshed_early(left: float, chance: float) -> None:
    assert not Rules(ttl=1e6).is_due(entry_of(Expiries(left, left)), 0.0, chance)


def test_what_never_expires_is_never_refreshed_early() -> None:
    assert not Rules(refresh_ahead=5.0).is_due(entry_of(Expiries(inf, inf)), 0.0, 0.0)


def lived_100(left: float) -> Entry:
    """An entry that is fresh for 100 seconds in all and for `left` more from time 0 on."""
    return Entry(b"", left - 100.0, left, left)


@given(life=ttls, spent=st.floats(0, 0.5), chance=chances)
def test_nothing_is_refreshed_in_the_first_half_of_its_life(
    life: float, spent: float, chance: float
) -> None:
    entry = Entry(b"", 0.0, life, life)
    assert not Rules(refresh_ahead=1e9).is_due(entry, spent * life, chance)


@given(one=st.floats(0, 10), other=st.floats(0, 10), chance=chances)
def test_what_is_due_stays_due_as_its_expiry_comes_nearer(
    one: float, other: float, chance: float
) -> None:
    rules = Rules(ttl=100.0, refresh_ahead=10.0)
    near, far = (lived_100(left) for left in sorted((one, other)))
    assume(rules.is_due(far, 0.0, chance))
    assert rules.is_due(near, 0.0, chance)


@pytest.mark.parametrize(
    ("left", "one_in"), [(9.999, 148.0), (6.0, 20.0), (4.0, 7.4), (2.0, 2.7), (0.0, 1.0)]
)
def test_the_chance_of_an_early_refresh_rises_exponentially_to_certain(
    left: float, one_in: float
) -> None:
    rules = Rules(ttl=100.0, refresh_ahead=10.0)
    entry = lived_100(left)
    assert rules.is_due(entry, 0.0, 0.98 / one_in)
    assert one_in == 1.0 or not rules.is_due(entry, 0.0, 1.02 / one_in)
