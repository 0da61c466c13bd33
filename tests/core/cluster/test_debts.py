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


def test_names_are_counted_in_bytes() -> None:
    debts = Debts(["g"])
    key = "\N{SNOWMAN}" * 1000
    for number in range(MOST_BYTES // 3000 + 1):
        debts.owe("n", Removal("g", f"{number}{key}"))
    assert debts.of("n")[0] == (Removal("g"),)


@pytest.mark.parametrize("flushed", [(), (Removal("h"),)], ids=["told", "flushed"])
def test_names_that_are_owed_no_longer_do_not_count(flushed: tuple[Removal, ...]) -> None:
    debts = Debts(["g", "h"])
    always = Removal("g", "missed again each time")
    for number in range(MOST_BYTES // 500):
        for item in (Removal("h", f"{number:01000}"), *flushed):
            debts.owe("n", item)
        _, until = debts.of("n")
        debts.owe("n", always)
        debts.settle("n", until)
    assert debts.of("n")[0] == (always,)
    missed = [Removal("g", f"{number:01000}") for number in range(MOST_BYTES // 2000)]
    for item in missed:
        debts.owe("n", item)
    assert debts.of("n")[0] == (always, *missed)


def test_each_node_has_bytes_of_its_own() -> None:
    debts = Debts(["g"])
    missed = [Removal("g", f"{number:01000}") for number in range(MOST_BYTES // 2000)]
    for node in ("n", "m", "o"):
        for item in missed:
            debts.owe(node, item)
    assert all(debts.of(node)[0] == tuple(missed) for node in ("n", "m", "o"))


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


LONG = "k" * 1_000


def test_a_node_that_was_forgotten_and_is_owed_again_begins_at_nothing() -> None:
    debts = Debts(["g"])
    keys = [Removal("g", f"{LONG}{number}") for number in range(MOST_BYTES // 2_000 + 1)]
    for owed in (keys, keys):
        for item in owed:
            debts.owe("n", item)
        assert debts.of("n")[0] == tuple(keys)
        for number in range(MOST_NODES):
            debts.owe(f"other{number}", Removal("g", "a"))
        assert "n" not in debts.nodes


def test_a_key_that_is_removed_again_and_again_is_owed_once() -> None:
    debts = Debts(["g"])
    item = Removal("g", LONG)
    for _ in range(MOST_BYTES // 1_000 + 1):
        debts.owe("n", item)
    assert debts.of("n")[0] == (item,)


def test_what_is_no_group_is_owed_to_nobody() -> None:
    debts = Debts(["g"])
    for number in range(1_000):
        debts.owe("n", Removal(f"made up {number}"))
        debts.owe("n", Removal(f"made up {number}", "k"))
    assert debts.nodes == ()
