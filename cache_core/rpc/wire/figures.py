"""A node's report on itself as protobuf messages, both directions.

A figure has the same name in a record and in its message.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Final

from cache_core.messages import GroupInfo, Health, MemberInfo, NodeInfo, SharingStats
from cache_core.pb import cluster_pb2 as pb
from cache_core.settings import GroupSettings
from cache_core.stats import CacheStats, Cause, GroupStats, TierStats

_GROUP_COUNTS: Final = [field.name for field in fields(GroupStats) if field.type is int]
_SHARING_COUNTS: Final = [field.name for field in fields(SharingStats) if field.type is int]

_TO_HEALTH: Final = {
    pb.HEALTH_UP: Health.UP,
    pb.HEALTH_LEFT_OUT: Health.LEFT_OUT,
    pb.HEALTH_DRAINING: Health.DRAINING,
}
_FROM_HEALTH: Final = {health: number for number, health in _TO_HEALTH.items()}


def write_node(info: NodeInfo) -> pb.DescribeResponse:
    """Return `info` as a message."""
    return pb.DescribeResponse(
        node=info.node,
        draining=info.draining,
        ring=info.ring,
        members=[
            pb.MemberInfo(
                node=member.node,
                weight=member.weight,
                health=_FROM_HEALTH[member.health],
                share=member.share,
            )
            for member in info.members
        ],
        groups=[_write_group(name, group) for name, group in info.groups.items()],
        figures=pb.NodeFigures(
            uptime=info.uptime, ring_mismatches=info.ring_mismatches, watchers=info.watchers
        ),
    )


def read_node(said: pb.DescribeResponse) -> NodeInfo:
    """Return the report in the message `said`. Raises ValueError for settings no group can have."""
    return NodeInfo(
        node=said.node,
        draining=said.draining,
        ring=said.ring,
        members=tuple(
            MemberInfo(
                member.node,
                member.weight,
                _TO_HEALTH.get(member.health, Health.LEFT_OUT),
                member.share,
            )
            for member in said.members
        ),
        groups={group.name: _read_group(group) for group in said.groups},
        uptime=said.figures.uptime,
        ring_mismatches=said.figures.ring_mismatches,
        watchers=said.figures.watchers,
    )


def _write_group(name: str, info: GroupInfo) -> pb.GroupInfo:
    stats, sharing = info.stats, info.sharing
    return pb.GroupInfo(
        name=name,
        settings=pb.GroupSettings(**info.settings.model_dump(exclude_none=True)),
        figures=pb.GroupFigures(
            **{count: getattr(stats, count) for count in _GROUP_COUNTS},
            cache=_write_cache(stats.cache),
            negatives=_write_cache(stats.negatives),
            tier=None if stats.tier is None else pb.TierFigures(**asdict(stats.tier)),
        ),
        sharing=pb.SharingFigures(
            **{count: getattr(sharing, count) for count in _SHARING_COUNTS},
            hot=_write_cache(sharing.hot),
        ),
    )


def _read_group(said: pb.GroupInfo) -> GroupInfo:
    figures, sharing = said.figures, said.sharing
    return GroupInfo(
        _read_settings(said.settings),
        GroupStats(
            **{count: getattr(figures, count) for count in _GROUP_COUNTS},
            cache=_read_cache(figures.cache),
            negatives=_read_cache(figures.negatives),
            tier=_read_tier(figures.tier) if figures.HasField("tier") else None,
        ),
        SharingStats(
            **{count: getattr(sharing, count) for count in _SHARING_COUNTS},
            hot=_read_cache(sharing.hot),
        ),
    )


def _read_tier(said: pb.TierFigures) -> TierStats:
    return TierStats(said.hits, said.misses, said.errors, said.owed)


def _read_settings(said: pb.GroupSettings) -> GroupSettings:
    given = {name: getattr(said, name) for name in GroupSettings.model_fields}
    if not said.HasField("ttl"):
        given["ttl"] = None
    given["max_value"] = said.max_value or None
    given["content_type"] = said.content_type or None
    return GroupSettings.model_validate(given)


def _write_cache(stats: CacheStats) -> pb.CacheFigures:
    return pb.CacheFigures(
        entries=stats.entries,
        bytes=stats.bytes,
        capacity=stats.capacity,
        removals=_write_causes(stats.removals),
        removed_bytes=_write_causes(stats.removed_bytes),
    )


def _read_cache(said: pb.CacheFigures) -> CacheStats:
    return CacheStats(
        said.entries,
        said.bytes,
        said.capacity,
        _read_causes(said.removals),
        _read_causes(said.removed_bytes),
    )


def _write_causes(figures: Mapping[Cause, int]) -> dict[str, int]:
    return {cause.name.lower(): figure for cause, figure in figures.items()}


def _read_causes(said: Mapping[str, int]) -> dict[Cause, int]:
    return {cause: said[name] for cause in Cause if (name := cause.name.lower()) in said}
