"""The settings of a source that is a Python function, or an object of the user's own."""

from typing import Any, Literal

from pydantic import Field

from cache_core.settings import Count, Table


class PythonSource(Table):
    """`[groups.NAME.source]` with `kind = "python"`: code of one's own."""

    kind: Literal["python"] = "python"
    target: str = Field(
        description="module:function, module:object.attribute, or the name of an entry point in "
        "the group gaocache.retrievers"
    )
    options: dict[str, Any] | None = Field(
        default=None,
        repr=False,
        description="with these as keyword arguments the target is called once, and what it "
        "returns is the source",
    )
    check_key: str | None = Field(
        default=None,
        min_length=1,
        description="the key that is asked for to see whether the source serves",
    )
    threads: Count = Field(
        default=64, gt=0, description="how many calls of a function that isn't async run at a time"
    )
