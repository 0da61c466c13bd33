from itertools import repeat

import pytest

from cache_core.cluster.latency import LEAST_SECONDS, MOST_SECONDS, Latency


def latency_of(*took: float) -> Latency:
    latency = Latency()
    for seconds in took:
        latency.took(seconds)
    return latency


def test_without_an_answer_it_is_as_patient_as_it_must_be() -> None:
    assert latency_of().patience == LEAST_SECONDS


@pytest.mark.parametrize("distance", [0.0, 0.0002, 0.02, 60.0])
def test_a_distant_node_is_waited_for_no_longer_than_a_near_one(distance: float) -> None:
    assert latency_of(*repeat(distance, 100)).patience == pytest.approx(LEAST_SECONDS)


def test_a_node_under_load_is_waited_for_as_long_as_that_usually_takes_it() -> None:
    assert 0.003 < latency_of(0.001, *repeat(0.004, 100)).patience < 0.0045


def test_patience_is_tcps_estimate_of_the_time_beyond_the_distance() -> None:
    """RFC 6298, section 2: SRTT + 4 RTTVAR, of which the quickest answer's time is the distance."""
    first = 0.001 + 4 * 0.0005
    assert latency_of(0.001).patience == pytest.approx(LEAST_SECONDS + first - 0.001)
    deviation = 0.75 * 0.0005 + 0.25 * 0.0008
    usual = 7 / 8 * 0.001 + 1 / 8 * 0.0018
    expected = LEAST_SECONDS + usual + 4 * deviation - 0.001
    assert latency_of(0.001, 0.0018).patience == pytest.approx(expected, rel=1e-4)


def test_it_is_more_patient_where_answers_take_now_more_now_less() -> None:
    assert latency_of(*[0.002, 0.004] * 50).patience > 0.005


def test_it_is_not_endlessly_patient() -> None:
    assert latency_of(0.001, *repeat(60.0, 100)).patience == MOST_SECONDS


def test_one_slow_answer_among_quick_ones_is_forgotten() -> None:
    assert latency_of(*[0.001] * 50, 0.05, *[0.001] * 50).patience < 0.0015


def test_a_node_that_has_moved_away_is_not_taken_for_loaded_for_ever() -> None:
    assert latency_of(0.001, *repeat(0.005, 400_000)).patience < 0.0011
