"""The documents that are made of surveys and of a gateway's own figures."""

from dataclasses import replace

from cache_core import GroupSettings
from cache_core.client.near import NearStats
from cache_core.messages import GroupInfo, NodeInfo, SharingStats
from cache_core.stats import CacheStats, GroupStats
from gateway.survey.cluster_document import cluster_document, gateway_document
from gateway.survey.figures import Figures
from gateway.survey.gateway_figures import (
    GatewayFigures,
    NearFigures,
    near_source,
)
from gateway.survey.group_document import documents
from gateway.survey.survey import NodeRow, Survey

EMPTY = CacheStats(0, 0, 1_000, {}, {})
STATS = GroupStats(
    hits=1,
    stale_hits=0,
    stale_errors=0,
    negative_hits=0,
    misses=0,
    loads=0,
    load_errors=0,
    overloads=0,
    cache=EMPTY,
    negatives=EMPTY,
)
NONE = GatewayFigures(1, (), {})


def info(settings: GroupSettings | None = None) -> GroupInfo:
    sharing = SharingStats(hot_hits=0, fetches=0, fetch_errors=0, forwarded=0, hot=EMPTY)
    return GroupInfo(settings or GroupSettings(), STATS, sharing)


def row(node: str, *groups: str, error: str | None = None) -> NodeRow:
    infos = {name: info() for name in groups}
    report = NodeInfo(node, False, 7, (), infos, 60.0, 5, 3)
    figures = {name: Figures.of(each) for name, each in infos.items()}
    return NodeRow(node, "up", error, None, None if error else report, figures)


def test_a_group_is_at_the_nodes_that_have_it_and_the_silent_ones_are_named() -> None:
    gone = row("c:1", error="node c:1 can't be reached")
    found = documents(Survey((row("a:1", "scores"), row("b:1", "scores", "rates"), gone), ()))
    rates, scores = found.groups
    assert (scores.group, scores.nodes, scores.figures.hits) == ("scores", ["a:1", "b:1"], 2)
    assert (rates.group, rates.nodes, rates.figures.hits) == ("rates", ["b:1"], 1)
    for silent in (found.no_answer, scores.no_answer, rates.no_answer):
        assert [(each.node, each.error) for each in silent] == [
            ("c:1", "node c:1 can't be reached")
        ]


def test_a_groups_settings_are_those_of_the_first_node_that_has_it() -> None:
    first, other = row("a:1", "scores"), row("b:1", "scores")
    assert other.info is not None
    odd = replace(other.info, groups={"scores": info(GroupSettings(capacity=5))})
    (scores,) = documents(Survey((first, replace(other, info=odd)), ())).groups
    assert scores.settings == GroupSettings()


def test_a_node_says_of_itself_what_it_reported() -> None:
    (node,) = cluster_document(Survey((row("a:1", "scores"),), ()), NONE).nodes
    assert (node.ring_mismatches, node.watchers, node.uptime) == (5, 3, 60.0)
    assert (node.ring, list(node.groups)) == ("0000000000000007", ["scores"])


def test_a_gateway_says_which_of_its_workers_are_missing_in_the_sums() -> None:
    sums = {"requests": {"answered": {"2xx": 4}}, "near": {"scores": dict.fromkeys(SIZES, 2)}}
    shown = gateway_document(GatewayFigures(3, ("worker 2",), sums))
    assert (shown.workers, shown.no_answer) == (3, ["worker 2"])
    assert shown.requests == {"2xx": 4, "3xx": 0, "4xx": 0, "5xx": 0}
    assert shown.near == {"scores": NearFigures(hits=2, entries=2, bytes=2)}


def test_a_gateway_that_has_no_figures_yet_shows_every_class() -> None:
    assert gateway_document(NONE).requests == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}


SIZES = ("hits", "entries", "bytes")


def test_a_near_caches_figures_are_told_as_they_are() -> None:
    stats = {"scores": NearStats(hits=1, entries=2, bytes=3)}
    assert near_source(lambda: stats)() == {"scores": {"hits": 1, "entries": 2, "bytes": 3}}
