"""The limits of numbers under JSON Schema's names, where pydantic leaves its own."""

from collections.abc import Mapping
from typing import Final

NAMES: Final[Mapping[str, str]] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


def named(schema: object) -> object:
    """Return `schema`, at every depth, with JSON Schema's names in place of pydantic's, by NAMES.

    Pydantic leaves its own names for limits that are checked after a validator of ours, and JSON
    Schema passes over them. A property may be called so as well; it keeps its name, because its
    schema is no number.
    """
    if isinstance(schema, list):
        return [named(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        (NAMES.get(name, name) if isinstance(part, int | float) else name): named(part)
        for name, part in schema.items()
    }
    # Both are allowed but confuse readers; the exclusive one says more.
    if "exclusiveMinimum" in found and found.get("minimum") == found["exclusiveMinimum"]:
        del found["minimum"]
    return found
