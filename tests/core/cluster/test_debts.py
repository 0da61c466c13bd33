import pytest

from cache_core.cluster.debts import MOST_BYTES, MOST_NODES, Debts
from cache_core.messages import Removal


def test_what_a_node_missed_is_owed_until_it_is_told() -> None:
    debts = Debts(["g"])
    first, second = Removal("g", "a"), Removal("g", "b")
    debts.owe("n", first)
    debts.owe("n", second)
    told, until = debts.of("n")
    assert told == (first, second)
    third = Removal("g", "c")
    debts.owe("n", third)
    debts.settle("n", until)
    assert debts.of("n")[0] == (third,)
    debts.settle("n", debts.of("n")[1])
    assert debts.nodes == ()


@pytest.mark.parametrize("what", [Removal("g", "a"), Removal("g")])
def test_what_is_missed_anew_while_it_is_told_is_owed_still(what: Removal) -> None:
    debts = Debts(["g"])
    debts.owe("n", what)
    _, until = debts.of("n")
    debts.owe("n", what)
    debts.settle("n", until)
    assert debts.of("n")[0] == (what,)


def test_a_key_missed_after_a_flush_was_told_is_owed_still() -> None:
    debts = Debts(["g"])
    debts.owe("n", Removal("g"))
    _, until = debts.of("n")
    debts.owe("n", Removal("g", "a"))
    debts.settle("n", until)
    assert debts.of("n")[0] == (Removal("g"),)


def test_a_flush_stands_for_every_key_of_its_group() -> None:
    debts = Debts(["g", "h"])
    debts.owe("n", Removal("g", "a"))
    debts.owe("n", Removal("h", "a"))
    debts.owe("n", Removal("g"))
    debts.owe("n", Removal("g", "b"))
    assert set(debts.of("n")[0]) == {Removal("h", "a"), Removal("g")}


def test_too_many_names_become_flushes_of_their_groups() -> None:
    debts = Debts(["g", "h", "untouched"])
    debts.owe("n", Removal("h", "a"))
    for number in range(MOST_BYTES // 1000):
        debts.owe("n", Removal("g", f"{number:01000}"))
    assert set(debts.of("n")[0]) == {Removal("g"), Removal("h")}
    debts.settle("n", debts.of("n")[1])
    assert debts.nodes == ()


def test_a_node_that_was_forgotten_is_owed_everything() -> None:
    debts = Debts(["g", "h"])
    debts.owe_everything("n")
    assert set(debts.of("n")[0]) == {Removal("g"), Removal("h")}


def test_debts_to_nodes_that_never_come_back_are_bounded() -> None:
    debts = Debts(["g"])
    for number in range(MOST_NODES + 5):
        debts.owe(f"n{number}", Removal("g"))
    assert debts.of("n4")[0] == ()
    assert debts.of("n5")[0] == (Removal("g"),)
