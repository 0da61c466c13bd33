"""What the page for a person says of groups and nodes, whatever they are called."""

from html.parser import HTMLParser

import pytest

from cache_core.messages import NodeInfo
from gateway.survey import page as landing
from gateway.survey.figures import Figures
from gateway.survey.survey import NodeRow, Survey

ORIGIN = "http://cache.example:8000"
EVIL = '<script>alert("x")</script>&$style\'"'
INFO = NodeInfo("a:1", False, 0, (), {}, 1.0, 0, 0)


class Tags(HTMLParser):
    """The page's tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(seen: Survey, origin: str = ORIGIN) -> Tags:
    return Tags(landing.page(seen, origin))


def groups(**named: Figures) -> Survey:
    return Survey((NodeRow("a:1", "up", None, None, INFO, named),), ())


def silence(node: str, why: str) -> Survey:
    return Survey((NodeRow(node, "no answer", why, None, None, {}),), ())


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (Figures(), "0 entries, not asked for anything yet"),
        (Figures(entries=1, misses=1), "1 entry, 0.0% of 1 get were hits"),
        (
            Figures(entries=12345, hits=2, hot_hits=1, misses=1),
            "12,345 entries, 75.0% of 4 gets were hits",
        ),
    ],
)
def test_a_group_has_its_figures_in_a_line(figures: Figures, words: str) -> None:
    assert words in page(groups(scores=figures)).text


def test_each_group_has_a_form_that_reaches_its_keys() -> None:
    shown = page(groups(**{"scores": Figures(), "a/b c?": Figures()}))
    assert [form["action"] for form in shown.all("form")] == [
        "/groups/a%2Fb%20c%3F/keys",
        "/groups/scores/keys",
    ]
    assert [field["name"] for field in shown.all("input")] == ["key", "key"]


def test_every_field_has_a_label_of_its_own() -> None:
    shown = page(groups(scores=Figures(), capitals=Figures()))
    labels = [label["for"] for label in shown.all("label")]
    assert labels == [field["id"] for field in shown.all("input")]
    assert len(set(labels)) == 2


def test_a_group_may_have_any_name() -> None:
    evil, plain = page(groups(**{EVIL: Figures()})), page(groups(scores=Figures()))
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert EVIL in evil.text


def test_a_nodes_words_are_only_words() -> None:
    shown = page(silence(EVIL, EVIL))
    assert f"{EVIL}: {EVIL}" in shown.text
    assert shown.all("script") == []


def test_without_a_node_it_says_what_to_do() -> None:
    shown = page(silence("a:1", "node a:1 can't be reached"))
    assert "a:1: node a:1 can't be reached" in shown.text
    assert "gaocache up" in shown.text
    assert shown.all("form") == []


def test_without_a_group_it_says_what_to_do() -> None:
    assert "[groups.NAME]" in page(groups()).text


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (ORIGIN, "curl http://cache.example:8000/groups/scores/keys/KEY"),
        ("https://[::1]:8443", "curl 'https://[::1]:8443/groups/scores/keys/KEY'"),
        ("http://x;rm -rf /", "curl http://localhost:8000/groups/scores/keys/KEY"),
    ],
)
def test_the_example_asks_the_host_that_was_asked(origin: str, line: str) -> None:
    assert line in page(groups(scores=Figures()), origin).text


def test_nodes_that_do_not_answer_are_named_beside_the_groups_of_those_that_do() -> None:
    rows = (*groups(scores=Figures()).rows, *silence("c:1", "node c:1 can't be reached").rows)
    shown = page(Survey(rows, ()))
    assert "c:1: node c:1 can't be reached" in shown.text
    assert [form["action"] for form in shown.all("form")] == ["/groups/scores/keys"]


def test_without_a_known_member_it_says_what_to_do() -> None:
    assert "No node answers" in page(Survey((), ())).text
