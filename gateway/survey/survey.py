"""The reports of a cluster's members on themselves and on each other, put together.

Knows no network and no terminal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cache_core.errors import CacheError
from cache_core.messages import Health, MemberInfo, NodeInfo
from gateway.survey.figures import Figures

NO_ANSWER: Final = "no answer"
WORDS: Final = {Health.UP: "up", Health.LEFT_OUT: "left out", Health.DRAINING: "leaving"}
NAMED: Final = 3
"""How many nodes a warning names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A member: `info` is its report on itself, and `error` says why it does not answer.

    A member that was not asked has neither. `view` is the member as one that knows it sees it, None
    where no member that answered knows it. `groups` are its figures by the names of its groups.
    """

    node: str
    health: str
    error: str | None
    view: MemberInfo | None
    info: NodeInfo | None
    groups: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Survey:
    """The members in the order of their names, and a warning for each of their disagreements."""

    rows: tuple[NodeRow, ...]
    warnings: tuple[str, ...]

    @property
    def ring(self) -> int | None:
        """The ring's version, None where the members have different ones, or none."""
        rings = {row.info.ring for row in self.rows if row.info is not None}
        return (rings.pop() or None) if len(rings) == 1 else None

    @property
    def groups(self) -> dict[str, Figures]:
        """Each group's sums over the members, by name."""
        names = sorted({name for row in self.rows for name in row.groups})
        return {
            name: Figures.total(row.groups[name] for row in self.rows if name in row.groups)
            for name in names
        }


def survey(answers: Mapping[str, NodeInfo | CacheError]) -> Survey:
    """Return the survey that the `answers`, by node, come to.

    Members that were not asked are in it as far as the others know them.
    """
    answers = _by_own_name(answers)
    infos = {node: info for node, info in answers.items() if isinstance(info, NodeInfo)}
    views = _views(infos)
    rows = [
        _row(node, answers.get(node), views.get(node, {})) for node in sorted({*answers, *views})
    ]
    warnings = (
        *_different_rings(infos),
        *_different_views(views),
        *_different_settings(infos),
    )
    return Survey(tuple(rows), warnings)


def hexadecimal(ring: int | None) -> str | None:
    """Return a ring's version as 16 hexadecimal digits; None where there is no ring."""
    return f"{ring:016x}" if ring else None


def _by_own_name(
    answers: Mapping[str, NodeInfo | CacheError],
) -> Mapping[str, NodeInfo | CacheError]:
    """Return `answers`, a single one by the node's own name: it may have been asked by another."""
    match list(answers.values()):
        case [NodeInfo() as only]:
            return {only.node: only}
    return answers


def _row(
    node: str, answer: NodeInfo | CacheError | None, seen: Mapping[str, MemberInfo]
) -> NodeRow:
    view = next(iter(seen.values()), None)
    if isinstance(answer, CacheError):
        return NodeRow(node, NO_ANSWER, str(answer), view, None, {})
    others = [member.health for name, member in seen.items() if name != node]
    groups = (
        {name: Figures.of(info) for name, info in sorted(answer.groups.items())} if answer else {}
    )
    return NodeRow(node, _health(answer, others), None, view, answer, groups)


def _views(infos: Mapping[str, NodeInfo]) -> dict[str, dict[str, MemberInfo]]:
    """Return each member as every member that answered sees it, by member and by observer."""
    views: dict[str, dict[str, MemberInfo]] = {}
    for observer, info in infos.items():
        for member in info.members:
            views.setdefault(member.node, {})[observer] = member
    return views


def _health(info: NodeInfo | None, seen: Iterable[Health]) -> str:
    if info is not None and info.draining:
        return WORDS[Health.DRAINING]
    views = set(seen)
    worst = (health for health in (Health.LEFT_OUT, Health.DRAINING) if health in views)
    return WORDS[next(worst, Health.UP)]


def _different_rings(infos: Mapping[str, NodeInfo]) -> Iterable[str]:
    rings: dict[int, list[str]] = {}
    for node, info in infos.items():
        rings.setdefault(info.ring, []).append(node)
    if len(rings) > 1:
        parts = [
            f"{hexadecimal(ring) or 'none'} at {_names(nodes)}" for ring, nodes in rings.items()
        ]
        yield (
            f"the members have different rings, {', '.join(parts)}: some have not yet heard of a "
            "change, or were given other --peers"
        )


def _different_views(views: Mapping[str, Mapping[str, MemberInfo]]) -> Iterable[str]:
    for node, seen in sorted(views.items()):
        by_health: dict[Health, list[str]] = {}
        for observer, member in seen.items():
            if observer != node:
                by_health.setdefault(member.health, []).append(observer)
        if len(by_health) > 1:
            parts = [f"{WORDS[health]} to {_names(by)}" for health, by in by_health.items()]
            yield f"{node} is {', '.join(parts)}"


def _different_settings(infos: Mapping[str, NodeInfo]) -> Iterable[str]:
    for name in sorted({name for info in infos.values() for name in info.groups}):
        first, *others = (
            (node, info.groups[name].settings)
            for node, info in sorted(infos.items())
            if name in info.groups
        )
        for node, settings in others:
            if settings != first[1]:
                yield f"group {name} has other settings at {node} than at {first[0]}"
                break


def _names(nodes: list[str]) -> str:
    named = nodes[:NAMED] if len(nodes) > NAMED + 1 else nodes
    rest = len(nodes) - len(named)
    return " and ".join([*named, f"{rest} more"] if rest else named)
