"""A group's settings, the same in Python and in the config file's `[groups.NAME]`."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from cache_core.value import Terms

MIB: Final = 1024 * 1024
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_NAME: Final = r"[!#$%&'+.^_`|~0-9A-Za-z-]+"  # without `*`, which stands for ranges of media types
_QUOTED: Final = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_MEDIA_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(?: *; *{_NAME}=(?:{_NAME}|{_QUOTED}))*")
MAX_MEDIA_TYPE: Final = 255
"""The longest media type, in characters: it travels with every value."""

MAX_GROUP_BYTES: Final = 128
"""The longest name of a group, in bytes of UTF-8: it travels with every call."""

MAX_SIZE: Final = 2**60
MAX_COUNT: Final = 2**31 - 1
"""The largest size and count: they fit where settings travel, and exceed what any machine has."""

SIZE: Final = 'it should be a size like "64MiB"'
DURATION: Final = 'it should be seconds or like "90s", "10m", "1h", "500ms"'
NUMBER: Final = "it should be a number"
BOOLEAN: Final = "it should be true or false"
MEDIA_TYPE: Final = 'it should be a media type like "image/png"'


def _parse_duration(given: object) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    match = _DURATION.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise ValueError(DURATION)
    return float(match[1]) * _SECONDS[match[2] or "s"]


def _refuse_nothing(given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool) and given <= 0:
        raise ValueError("it should be more than 0 bytes")
    return given


def _parse_size(given: object, parse: ValidatorFunctionWrapHandler) -> object:
    try:
        if not isinstance(given, bool):
            return parse(given)
    except ValidationError as error:
        raise ValueError(SIZE) from error
    raise ValueError(SIZE)


def _refuse_bool(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError(NUMBER)  # noqa: TRY004 - a ValueError is what pydantic reports
    return given


def is_media_type(given: object) -> bool:
    """Tell whether `given` is a media type (RFC 9110, section 8.3.1) that is not too long."""
    if not isinstance(given, str) or len(given) > MAX_MEDIA_TYPE:
        return False
    return _MEDIA_TYPE.fullmatch(given) is not None


def _parse_media_type(given: object) -> str:
    if not isinstance(given, str) or not is_media_type(given):
        raise ValueError(MEDIA_TYPE)
    return given


def _parse_bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if given not in ("true", "false"):
        raise ValueError(BOOLEAN)
    return given == "true"


Seconds = Annotated[float, BeforeValidator(_parse_duration), Field(ge=0, allow_inf_nan=False)]
Size = Annotated[
    ByteSize,
    WrapValidator(_parse_size),
    Field(gt=0, le=MAX_SIZE),
    BeforeValidator(_refuse_nothing),
]
Room = Annotated[ByteSize, WrapValidator(_parse_size), Field(ge=0, le=MAX_SIZE)]
Share = Annotated[float, BeforeValidator(_refuse_bool), Field(ge=0, lt=1)]
Count = Annotated[int, BeforeValidator(_refuse_bool), Field(ge=0, le=MAX_COUNT)]
MediaType = Annotated[str, BeforeValidator(_parse_media_type)]
Switch = Annotated[bool, BeforeValidator(_parse_bool)]


class Table(BaseModel):
    """A table of settings. It refuses unknown keys, and does not change once it is made.

    Every value may be given as text, because the environment has nothing else. No error repeats a
    given value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GroupSettings(Table):
    """A group's settings: durations in seconds or like "90s", sizes in bytes or like "64MiB"."""

    capacity: Size = Field(default=ByteSize(64 * MIB), description="the byte budget")
    policy: Literal["s3fifo", "lru", "lfu"] = Field(
        default="s3fifo", description="which entry leaves when the budget is spent"
    )
    max_value: Size | None = Field(
        default=None,
        le=2**31,
        description="the largest value that is kept; a larger one is served and not kept. "
        "Default: a tenth of the capacity, at most 4 MiB",
    )
    ttl: Seconds | None = Field(
        default=None, gt=0, description="how long a value is fresh; without it, for ever"
    )
    jitter: Share = Field(
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
    hot_share: Share = Field(
        default=0.125,
        description="the share of the budget for copies of other nodes' popular keys",
    )
    hot_ttl: Seconds = Field(
        default=10.0,
        description="how long such a copy may be answered at the most; 0: no copies are kept",
    )
    load_timeout: Seconds = Field(
        default=10.0, gt=0, description="how long the source may take for a key"
    )
    load_concurrency: Count = Field(
        default=64,
        gt=0,
        description="how many look-ups of the source run at a time; one that takes many keys "
        "at once needs one for all that are missing together",
    )
    load_queue: Count = Field(
        default=1024, description="how many more keys may wait; past that a get is refused"
    )

    content_type: MediaType | None = Field(
        default=None, description="the media type of all values; without it, what their source says"
    )
    client_reload: Switch = Field(
        default=False, description="whether a caller may have a key loaded anew at will"
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

    @property
    def terms(self) -> Terms:
        """The terms that travel with each of the group's values."""
        return Terms(self.stale_while_revalidate, self.stale_if_error, self.content_type or "")
