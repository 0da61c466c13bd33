import pytest

from cache_core.pace import LEAST_SECONDS, MOST_SECONDS, Pace


def pace_of(*took: float) -> Pace:
    pace = Pace()
    for seconds in took:
        pace.took(seconds)
    return pace


def test_without_an_answer_it_is_as_patient_as_it_must_be() -> None:
    assert pace_of().patience == LEAST_SECONDS


def test_an_answer_is_late_soon_after_it_usually_comes() -> None:
    assert 0.003 <= pace_of(*[0.003] * 100).patience < 0.0031


def test_it_is_more_patient_where_answers_take_now_more_now_less() -> None:
    assert pace_of(*[0.002, 0.004] * 50).patience > 0.006


@pytest.mark.parametrize(("took", "patience"), [(1e-6, LEAST_SECONDS), (60.0, MOST_SECONDS)])
def test_it_is_never_in_a_hurry_nor_endlessly_patient(took: float, patience: float) -> None:
    assert pace_of(*[took] * 100).patience == patience


def test_one_slow_answer_among_quick_ones_is_forgotten() -> None:
    assert pace_of(*[0.001] * 50, 0.05, *[0.001] * 50).patience < 0.0015
