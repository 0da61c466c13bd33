"""A group's settings, the same in Python and in the config file's `[groups.NAME]`."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, model_validator

MIB: Final = 1024 * 1024
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


SIZE: Final = 'it should be a size like "64MiB"'
DURATION: Final = 'it should be seconds or like "90s", "10m", "1h", "500ms"'


def _parse_duration(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError(DURATION)  # noqa: TRY004 - a ValueError is what pydantic reports
    if not isinstance(given, str):
        return given
    match = _DURATION.fullmatch(given.strip())
    if match is None:
        raise ValueError(DURATION)
    return float(match[1]) * _SECONDS[match[2]]


def _parse_size(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError(SIZE)  # noqa: TRY004 - a ValueError is what pydantic reports
    if isinstance(given, int) and given <= 0:
        raise ValueError("it should be more than 0 bytes")
    return given


Seconds = Annotated[float, BeforeValidator(_parse_duration), Field(ge=0, allow_inf_nan=False)]
Size = Annotated[ByteSize, Field(gt=0), BeforeValidator(_parse_size)]


class Table(BaseModel):
    """A table of settings: unknown keys are refused, nothing changes once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupSettings(Table):
    """What a group may be told; durations in seconds or like "90s", sizes like "64MiB"."""

    capacity: Size = Field(default=ByteSize(64 * MIB), description="the byte budget")
    policy: Literal["s3fifo", "lru", "lfu"] = Field(
        default="s3fifo", description="which entry leaves when the budget is spent"
    )
    max_value: Size | None = Field(
        default=None,
        description="the largest value that is kept; a larger one is served and not kept. "
        "Default: a tenth of the capacity, at most 4 MiB",
    )
    ttl: Seconds | None = Field(
        default=None, gt=0, description="how long a value is fresh; without it, for ever"
    )
    jitter: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.1, description="the share of the TTL by which chance shortens it"
    )
    stale_while_revalidate: Seconds = Field(
        default=0.0,
        description="how long past its TTL a value is answered while one refresh runs behind",
    )
    stale_if_error: Seconds = Field(
        default=0.0, description="how long past its TTL a value is answered if the source fails"
    )
    negative_ttl: Seconds = Field(
        default=0.0, description="how long it is remembered that the source has no such key"
    )
    refresh_ahead: Seconds = Field(
        default=0.0,
        description="how long before its TTL ends a value that is read may be refreshed behind",
    )
    load_timeout: Seconds = Field(
        default=10.0, gt=0, description="how long the source may take for a key"
    )
    load_concurrency: Annotated[int, Field(gt=0)] = Field(
        default=64, description="how many keys the source is asked for at a time"
    )
    load_queue: Annotated[int, Field(ge=0)] = Field(
        default=1024, description="how many more may wait; past that a get is refused"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.ttl is not None and self.refresh_ahead >= self.ttl:
            raise ValueError("refresh_ahead should be shorter than ttl")
        return self

    @property
    def largest_value(self) -> int:
        """The largest value that is kept, in bytes."""
        return self.max_value or min(self.capacity // 10, 4 * MIB)
