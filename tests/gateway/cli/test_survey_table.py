import io

import pytest
from rich.console import Console

from cache_core.messages import Health, MemberInfo, NodeInfo
from gateway.cli.survey_table import show
from gateway.survey.figures import Figures
from gateway.survey.survey import NodeRow, Survey

NODE = "10.100.100.100:65535"
LARGE = Figures(
    entries=123_456_789,
    bytes=1000 * 2**20 - 1,
    capacity=999 * 2**30,
    hits=99_949,
    misses=999_499,
    loads=9_999,
    hot_hits=10**12,
    fetches=10_000,
)


def row(figures: Figures, *, uptime: float = 0, share: float = 0.25) -> NodeRow:
    member = MemberInfo(NODE, 1, Health.UP, share)
    info = NodeInfo(NODE, False, 1, (member,), {}, uptime, 0, 0)
    return NodeRow(NODE, "up", None, member, info, {"scores": figures})


def shown(found: Survey, *, groups: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    show(found, console, with_groups=groups)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_large_figures_fit_a_line_of_100_columns() -> None:
    lines = shown(Survey((row(LARGE, uptime=86_400 * 365),), ()))
    assert lines[2].split() == [
        NODE,
        "up",
        "25.0%",
        "123M",
        "1000MiB/999GiB",
        "99.9k",
        "999k",
        "9,999",
        "1T",
        "10k",
        "365d0h",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (59.9, "59s"), (60, "1m0s"), (3_599, "59m59s"), (7_260, "2h1m"), (90_000, "1d1h")],
)
def test_uptime_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert shown(Survey((row(Figures(), uptime=seconds),), ()))[2].endswith(f" {words}")


def test_what_is_wrong_is_said_below_in_words() -> None:
    silent = NodeRow("a:1", "no answer", "it hangs", None, None, {})
    lines = shown(Survey((silent, row(LARGE)), ("they [differ]",)))
    assert lines[2].split() == ["a:1", "no", "answer"]
    assert lines[4:] == [
        "a:1 gives no answer: it hangs",
        "ring 0000000000000001, 2 members",
        "warning: they [differ]",
    ]
