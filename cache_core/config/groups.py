"""The groups that the settings describe, with their retrievers and tiers."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from cache_core.config import ConfigError, GroupTable, Problem, Settings
from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.group.group import Group
from cache_core.loading.retriever import CheckedRetriever, InvalidSource
from cache_core.logs import logger
from cache_core.settings import GroupSettings
from cache_core.sources.opening import CHECK_SECONDS, check, make_retriever

if TYPE_CHECKING:
    from cache_core.valkey.tier import ValkeyTier

TIER: Final = "tier"

TIER_SHARE: Final = 0.25
"""The share of a load's time that one call of the second tier may take."""


async def open_groups(
    settings: Settings, file: Path, *, check_seconds: float = CHECK_SECONDS
) -> list[Group]:
    """Return the groups that `settings`, read from `file`, describe, once each source was tried.

    A relative path in them starts at the file's folder. A source or tier that can't be reached now,
    fails, or takes longer than `check_seconds` to answer is logged as a warning. Raises ConfigError
    where a setting is at fault, with nothing left open.
    """
    refused: list[Problem] = []
    retrievers: dict[str, CheckedRetriever] = {}
    tiers: dict[str, ValkeyTier] = {}
    for name, table in settings.groups.items():
        try:
            retrievers[name] = make_retriever(table.source, folder=file.parent)
            if table.tier is not None:
                tiers[name] = make_tier(table.tier, group=name, load_timeout=table.load_timeout)
        except InvalidSource as error:
            refused.append(problem_of(settings, name, error))
    parts: list[tuple[str, CheckedRetriever | ValkeyTier]] = [*retrievers.items(), *tiers.items()]
    async with AsyncExitStack() as opened:
        for _, part in parts:
            opened.push_async_callback(part.aclose)
        trials = (check(part.check, seconds=check_seconds) for _, part in parts)
        for (name, part), wrong in zip(parts, await asyncio.gather(*trials), strict=True):
            if isinstance(wrong, InvalidSource):
                refused.append(problem_of(settings, name, wrong))
            elif wrong is not None:  # it is asked again once a key is wanted
                problem = problem_of(settings, name, wrong, is_tier=part is tiers.get(name))
                logger.warning("%s", problem)
        if refused:
            raise ConfigError(*refused)
        opened.pop_all()
    return [
        Group(name, retriever, _settings(settings.groups[name]), tier=tiers.get(name))
        for name, retriever in retrievers.items()
    ]


def problem_of(
    settings: Settings,
    group: str,
    error: InvalidSource | SourceUnavailable | RetrieverFailed,
    *,
    is_tier: bool = False,
) -> Problem:
    """Return `error` as a problem of the source of `group`, or of its tier, with the place."""
    if not isinstance(error, InvalidSource):
        part = TIER if is_tier else "source"
        words = f"{error}; see that it runs and that its address is right"
        return settings.problem(("groups", group, part), words)
    if error.setting == TIER:
        return settings.problem(("groups", group, TIER), str(error))
    return settings.problem(("groups", group, "source", error.setting), str(error))


def _settings(table: GroupTable) -> GroupSettings:
    """Return the group's own settings of the table; its source is for the retriever alone."""
    return GroupSettings(**table.model_dump(include=set(GroupSettings.model_fields)))


def make_tier(url: SecretStr, *, group: str, load_timeout: float) -> "ValkeyTier":
    """Return the part of the second tier at `url` that `group` has.

    A tier that hangs leaves most of the `load_timeout` to the source. Raises InvalidSource.
    """
    from cache_core.valkey.tier import TIMEOUT, open_tier  # noqa: PLC0415 - an extra

    timeout = min(TIMEOUT, TIER_SHARE * load_timeout)
    return open_tier(url.get_secret_value(), group=group, timeout=timeout)
