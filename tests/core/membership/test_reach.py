import pytest

from cache_core.membership.reach import Reach

LOST = "the list can't be reached, the members stay as they were: refused"
FOUND = "the list is reached again"


@pytest.fixture
def reach() -> Reach:
    return Reach("the list")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    words = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return words


def test_what_is_lost_or_found_is_told_once(reach: Reach, caplog: pytest.LogCaptureFixture) -> None:
    reach.found("a")
    assert said(caplog) == []
    for _ in range(3):
        reach.lost("a", OSError("refused"))
    assert said(caplog) == [LOST]
    for _ in range(3):
        reach.found("a")
    assert said(caplog) == [FOUND]
    reach.lost("a", OSError("refused"))
    assert said(caplog) == [LOST]


def test_it_is_lost_with_the_first_part_and_found_with_the_last(
    reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    reach.lost("a", OSError("refused"))
    reach.lost("b", OSError("refused"))
    reach.found("a")
    reach.found("c")
    assert said(caplog) == [LOST]
    reach.found("b")
    assert said(caplog) == [FOUND]


def test_a_part_that_has_ended_is_not_waited_for(
    reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    for part in ("a", "b"):
        reach.lost(part, OSError("refused"))
    reach.forget("a")
    reach.forget("never known")
    reach.found("b")
    assert said(caplog) == [LOST, FOUND]


def test_a_reason_of_several_lines_is_told_in_one(
    reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    reach.lost("a", OSError("re\n  fused\r\nby\tall"))
    assert said(caplog) == [LOST.replace("refused", "re fused by all")]
