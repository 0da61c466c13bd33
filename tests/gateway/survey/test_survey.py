"""What is made of the members' answers."""

import json
from dataclasses import replace

import pytest

from cache_core import GroupSettings, PeerUnavailable
from cache_core.messages import GroupInfo, Health, MemberInfo, NodeInfo, SharingStats
from cache_core.stats import CacheStats, GroupStats, TierStats
from gateway.survey.cluster_document import document
from gateway.survey.figures import Figures
from gateway.survey.survey import survey

A, B, C, D = "10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080", "10.0.0.4:8080"
CLUSTER = (A, B, C, D)
RING = 0xA1


def cache(entries: int) -> CacheStats:
    return CacheStats(entries, 100 * entries, 1_000, {}, {})


SCORES = GroupInfo(
    GroupSettings(capacity=4_000),
    GroupStats(
        hits=10,
        stale_hits=2,
        stale_errors=1,
        negative_hits=3,
        misses=4,
        loads=5,
        load_errors=1,
        overloads=0,
        cache=cache(6),
        negatives=cache(1),
    ),
    SharingStats(hot_hits=7, fetches=8, fetch_errors=2, forwarded=9, hot=cache(2)),
)


def answer(node: str, *, left_out: tuple[str, ...] = (), leaving: tuple[str, ...] = ()) -> NodeInfo:
    """What `node` says, which sees all members of CLUSTER, some of them not as up."""

    def health(member: str) -> Health:
        if member in left_out:
            return Health.LEFT_OUT
        return Health.DRAINING if member in leaving else Health.UP

    return NodeInfo(
        node=node,
        draining=node in leaving,
        ring=RING,
        members=tuple(MemberInfo(member, 1, health(member), 0.25) for member in CLUSTER),
        groups={"scores": SCORES},
        uptime=60.0,
        ring_mismatches=0,
        watchers=0,
    )


def test_members_that_agree_give_no_warning() -> None:
    found = survey({node: answer(node) for node in CLUSTER})
    assert [(row.node, row.health) for row in found.rows] == [(node, "up") for node in CLUSTER]
    assert (found.ring, found.warnings) == (RING, ())


def test_a_node_that_gives_no_answer_is_said_with_why_and_its_share() -> None:
    dead = (D,)
    found = survey(
        {
            D: PeerUnavailable("node can't be reached"),
            **{node: answer(node, left_out=dead) for node in (A, B, C)},
        }
    )
    row = found.rows[3]
    assert (row.node, row.health, row.error) == (D, "no answer", "node can't be reached")
    assert row.view is not None
    assert row.view.share == 0.25
    assert (found.ring, found.warnings) == (RING, ())


def test_a_node_that_leaves_says_so_itself() -> None:
    found = survey({node: answer(node, leaving=(B,)) for node in CLUSTER})
    assert [row.health for row in found.rows] == ["up", "leaving", "up", "up"]


def test_a_node_that_answers_but_not_all_others_is_left_out_and_warned_of() -> None:
    found = survey({A: answer(A, left_out=(B,)), B: answer(B), C: answer(C), D: answer(D)})
    assert [row.health for row in found.rows] == ["up", "left out", "up", "up"]
    assert found.warnings == (f"{B} is left out to {A}, up to {C} and {D}",)


def test_different_rings_are_warned_of() -> None:
    answers = {node: answer(node) for node in CLUSTER}
    found = survey({**answers, C: replace(answers[C], ring=0xB2)})
    assert found.ring is None
    assert found.warnings[0].startswith(
        f"the members have different rings, 00000000000000a1 at {A} and {B} and {D}, "
        f"00000000000000b2 at {C}: "
    )


def test_many_nodes_are_counted_rather_than_named() -> None:
    nodes = [f"10.0.1.{number}:8080" for number in range(9)]
    answers = {node: replace(answer(node), ring=RING) for node in nodes}
    found = survey({**answers, A: replace(answer(A), ring=0xB2)})
    assert f"at {nodes[0]} and {nodes[1]} and {nodes[2]} and 6 more" in found.warnings[0]


def test_a_node_on_its_own_has_no_ring() -> None:
    alone = replace(answer(A), ring=0, members=(MemberInfo(A, 1, Health.UP, 1.0),))
    found = survey({A: alone})
    assert (found.ring, found.warnings) == (None, ())


def test_figures_are_of_all_that_a_node_holds_and_summed_over_nodes() -> None:
    figures = Figures.of(SCORES)
    assert figures == Figures(
        entries=9,
        bytes=900,
        capacity=4_000,
        hits=15,
        misses=4,
        loads=5,
        load_errors=1,
        hot_hits=7,
        fetches=8,
        fetch_errors=2,
    )
    total = survey({node: answer(node) for node in CLUSTER}).groups["scores"]
    assert (total.entries, total.capacity, total.fetches) == (36, 16_000, 32)


def test_figures_of_a_second_tier_are_those_that_it_has() -> None:
    stats = replace(SCORES.stats, tier=TierStats(hits=11, misses=12, errors=13, owed=14))
    figures = Figures.of(replace(SCORES, stats=stats))
    assert (figures.tier_hits, figures.tier_errors, figures.tier_owed) == (11, 13, 14)


def test_a_node_that_no_other_knows_and_that_gives_no_answer_is_shown() -> None:
    stranger = "10.0.9.9:8080"
    found = survey({**{node: answer(node) for node in CLUSTER}, stranger: PeerUnavailable("gone")})
    assert [(row.node, row.health) for row in found.rows] == [
        *((node, "up") for node in CLUSTER),
        (stranger, "no answer"),
    ]


def test_a_node_that_is_left_out_by_some_and_leaves_to_others_is_left_out() -> None:
    found = survey({A: answer(A, left_out=(D,)), B: answer(B, leaving=(D,))})
    assert found.rows[3].health == "left out"


def test_a_member_that_was_not_asked_is_what_the_others_make_of_it() -> None:
    found = survey({A: answer(A, leaving=(D,)), B: answer(B, leaving=(D,))})
    assert [(row.node, row.health) for row in found.rows] == [
        (A, "up"),
        (B, "up"),
        (C, "up"),
        (D, "leaving"),
    ]
    assert found.rows[2].view is not None
    assert (found.rows[2].info, found.rows[2].error) == (None, None)


def test_a_node_asked_by_another_name_goes_by_its_own() -> None:
    alone = replace(answer(A), ring=0, members=(MemberInfo(A, 1, Health.UP, 1.0),))
    (row,) = survey({"localhost:8080": alone}).rows
    assert row.node == A
    assert row.view is not None


def test_a_groups_different_settings_are_warned_of() -> None:
    other = replace(SCORES, settings=GroupSettings(capacity=5_000))
    answers = {node: answer(node) for node in CLUSTER}
    for odd in (B, C, D):
        found = survey({**answers, odd: replace(answers[odd], groups={"scores": other})})
        assert found.warnings == (f"group scores has other settings at {odd} than at {A}",)


@pytest.mark.parametrize("dead", [False, True])
def test_the_json_form_has_the_same_fields_for_every_node(dead: bool) -> None:
    answers = {node: answer(node) for node in CLUSTER}
    found = survey({**answers, B: PeerUnavailable("gone")} if dead else answers)
    read = json.loads(document(found).model_dump_json())
    assert set(read) == {"ring", "warnings", "nodes"}
    assert read["ring"] == "00000000000000a1"
    one, other, *_ = read["nodes"]
    assert list(one) == list(other)
    assert {"node", "health", "error", "weight", "share", "ring", "uptime", "groups"} < set(one)
    assert one["groups"]["scores"]["hits"] == 15
    assert other["health"] == ("no answer" if dead else "up")
