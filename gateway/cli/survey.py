"""What the members of a cluster say of themselves and of each other, put together.

Knows no network and no terminal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from cache_core.errors import CacheError
from cache_core.messages import Health, MemberInfo, NodeInfo
from gateway.cli.figures import Figures

NO_ANSWER: Final = "no answer"
WORDS: Final = {Health.UP: "up", Health.LEFT_OUT: "left out", Health.DRAINING: "leaving"}
NAMED: Final = 3
"""How many nodes a warning names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Row:
    """A member: `info` is what it says, or `error` why it does not answer.

    `view` is what it is to one that knows it. `groups` are its figures.
    """

    node: str
    health: str
    error: str | None
    view: MemberInfo | None
    info: NodeInfo | None
    groups: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Survey:
    """The members by name, and what is at odds between them, a sentence each."""

    rows: tuple[Row, ...]
    warnings: tuple[str, ...]

    @property
    def ring(self) -> int | None:
        """The ring's version, None where there are several, or none."""
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

    def as_json(self) -> dict[str, object]:
        """Return the document that `gaocache cluster --json` prints.

        `share` is a part of 1, `uptime` in seconds; versions of rings are 16 hexadecimal digits.
        What a node that gives no answer could say of itself is null.
        """
        return {
            "ring": _hex(self.ring),
            "warnings": list(self.warnings),
            "nodes": [
                {
                    "node": row.node,
                    "health": row.health,
                    "error": row.error,
                    "weight": row.view and row.view.weight,
                    "share": row.view and row.view.share,
                    "ring": row.info and _hex(row.info.ring or None),
                    "ring_mismatches": row.info and row.info.ring_mismatches,
                    "watchers": row.info and row.info.watchers,
                    "uptime": row.info and row.info.uptime,
                    "groups": {name: asdict(group) for name, group in row.groups.items()},
                }
                for row in self.rows
            ],
        }


def survey(answers: Mapping[str, NodeInfo | CacheError]) -> Survey:
    """Return what the `answers`, by node, come to."""
    infos = {node: info for node, info in answers.items() if isinstance(info, NodeInfo)}
    views = _views(infos)
    rows = []
    for node, answer in sorted(answers.items()):
        seen = views.get(node, {})
        view = next(iter(seen.values()), None)
        if isinstance(answer, NodeInfo):
            groups = {name: Figures.of(info) for name, info in sorted(answer.groups.items())}
            health = _health(
                answer, [member.health for name, member in seen.items() if name != node]
            )
            row = Row(node, health, None, view, answer, groups)
        else:
            row = Row(node, NO_ANSWER, str(answer), view, None, {})
        rows.append(row)
    return Survey(tuple(rows), (*_different_rings(infos), *_different_views(views)))


def _views(infos: Mapping[str, NodeInfo]) -> dict[str, dict[str, MemberInfo]]:
    """Return each member as it is seen by each that answered."""
    views: dict[str, dict[str, MemberInfo]] = {}
    for observer, info in infos.items():
        for member in info.members:
            views.setdefault(member.node, {})[observer] = member
    return views


def _health(info: NodeInfo, seen: Iterable[Health]) -> str:
    if info.draining:
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
            f"{_hex(ring or None) or 'none'} at {_names(nodes)}" for ring, nodes in rings.items()
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


def _names(nodes: list[str]) -> str:
    named = nodes[:NAMED] if len(nodes) > NAMED + 1 else nodes
    rest = len(nodes) - len(named)
    return " and ".join([*named, f"{rest} more"] if rest else named)


def _hex(ring: int | None) -> str | None:
    return None if ring is None else f"{ring:016x}"
