"""The settings of a source that is a Valkey or a Redis."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from cache_core.settings import Count, Seconds, Switch, Table

PLACE: Final = "{key}"


class ValkeySource(Table):
    """`[groups.NAME.source]` with `kind = "valkey"`: a string, or a field of a hash.

    `key` is the string's name, or the hash's, and `field` the field's; `{key}` in them stands for
    the key that is asked for.
    """

    kind: Literal["valkey"] = "valkey"
    url: str = Field(repr=False)  # it may hold a password
    key: str = PLACE
    field: str | None = None
    ttl_from_source: Switch = False
    timeout: Annotated[Seconds, Field(gt=0)] = 5.0
    connections: Annotated[Count, Field(gt=0)] = 16

    @model_validator(mode="after")
    def _check(self) -> Self:
        if PLACE not in self.key + (self.field or ""):
            raise ValueError('it has {key} neither in "key" nor in "field"')
        return self
