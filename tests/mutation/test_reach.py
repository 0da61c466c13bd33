"""Which tests reach a fault, where the code has changed since that was measured."""

from fault import Fault
from reach import Lines, Reach

FILE = "cache_core/cluster/ring.py"
BESIDE = "cache_core/cluster/link.py"
TESTS = "tests/core/cluster/test_ring.py"

BEFORE = """\
one = 1
two = 2
three = 3
"""


def found(lines: Lines, now: str, text: str, others: dict[str, Lines] | None = None) -> list[str]:
    """The tests of a fault at `text`, in what was BEFORE."""
    reached = Reach({FILE: lines, **(others or {})}, {FILE: BEFORE}, {FILE: now})
    return reached.tests(fault(text))


def fault(text: str) -> Fault:
    return Fault("f", "membership", FILE, text, "", "none")


def changed(before: dict[str, str], now: dict[str, str], file: str = FILE) -> list[str]:
    reached = Reach({}, before, now)
    return reached.changed_files(Fault("f", "r", file, "", "", "none"))


def test_a_line_is_reached_by_the_tests_that_ran_it() -> None:
    assert found({1: ["a"], 2: ["b"], 3: ["c"]}, BEFORE, "two = 2") == ["b"]
    assert found({1: ["a"], 2: ["b"], 3: ["c"]}, BEFORE, "two = 2\nthree") == ["b", "c"]


def test_the_tests_that_reach_the_fewest_lines_come_first() -> None:
    assert found({1: ["a"], 2: ["a", "b"], 3: ["a"]}, BEFORE, "two = 2") == ["b", "a"]


def test_a_line_that_has_moved_is_reached_by_the_tests_that_ran_it_where_it_was() -> None:
    lines = {1: ["a"], 2: ["b"], 3: ["c"]}
    assert found(lines, "zero = 0\nhalf = 0.5\n" + BEFORE, "two = 2") == ["b"]
    assert found(lines, BEFORE.replace("one = 1\n", ""), "two = 2") == ["b"]
    assert found(lines, BEFORE + "four = 4\n", "three = 3") == ["c"]


def test_of_a_text_that_is_new_in_part_the_lines_that_were_there_count() -> None:
    lines = {1: ["a"], 2: ["b"], 3: ["c"]}
    now = BEFORE.replace("two = 2", "new = 0\ntwo = 2")
    assert found(lines, now, "new = 0\ntwo = 2") == ["b"]


def test_a_line_that_no_test_ran_is_reached_by_the_tests_of_all_files_of_its_folder() -> None:
    others: dict[str, Lines] = {BESIDE: {9: ["d"]}, "cache_core/node/hot.py": {1: ["e"]}}
    assert found({1: ["a"]}, BEFORE, "two = 2", others) == ["a", "d"]
    assert found({1: ["a"]}, BEFORE + "new = 0\n", "new = 0", others) == ["a", "d"]


def test_test_files_that_are_new_or_changed_since_are_tried_as_well() -> None:
    before = {TESTS: "old", "tests/core/cluster/test_link.py": "same"}
    now = {
        TESTS: "new",
        "tests/core/cluster/test_link.py": "same",
        "tests/core/cluster/test_more.py": "new",
        "tests/core/cluster/conftest.py": "new",
        "tests/core/node/test_other.py": "new",
    }
    assert changed(before, now) == [TESTS, "tests/core/cluster/test_more.py"]


def test_the_tests_of_a_room_that_has_none_of_its_own_are_those_of_the_room_around() -> None:
    now = {"tests/core/cluster/test_more.py": "new", "tests/core/test_settings.py": "new"}
    inner = "cache_core/cluster/without_tests/x.py"
    assert changed({}, now, inner) == ["tests/core/cluster/test_more.py"]
