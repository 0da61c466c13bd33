"""From a row, as a driver gives it, to a value's bytes: one column as it is, several as JSON."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, NamedTuple, NoReturn

from pydantic_core import PydanticSerializationError, to_jsonable_python

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import Retrieved
from cache_core.value import Terms, Value

JSON: Final = Terms(content_type="application/json")


class ColumnKind(Enum):
    """The kind of a column's content, where the type of the driver's object does not tell it."""

    PLAIN = auto()
    JSON = auto()
    """Documents, as text."""
    BOOLEAN = auto()
    """0 and 1 for false and true."""
    CAST = auto()
    """Values that the database is asked to write as text, because its driver can't."""


class Column(NamedTuple):
    """A column of a result."""

    name: str
    kind: ColumnKind = ColumnKind.PLAIN


def one(column: Column, value: object) -> Retrieved:
    """Return the bytes of a single column's value, or its text as UTF-8; None for NULL.

    Raises RetrieverFailed.
    """
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if column.kind is ColumnKind.JSON and isinstance(value, str):
        return value.encode()
    return as_text(_typed(column, value)).encode()


def document(columns: Sequence[Column], values: Sequence[object]) -> Value:
    """Return the row as a JSON object, UTF-8, with one member for each column.

    Numbers, truth values, null and nested JSON keep their types. Decimals, dates, times and UUIDs
    are text, dates and times in ISO form; bytes are base64; a float that JSON lacks is the text
    "NaN", "Infinity" or "-Infinity". Raises RetrieverFailed.
    """
    members = (
        f"{_dumps(column.name)}:{_member(column, value)}"
        for column, value in zip(columns, values, strict=True)
    )
    try:
        return Value(f"{{{','.join(members)}}}".encode(), terms=JSON)
    except UnicodeEncodeError as error:
        raise RetrieverFailed("the database gives text that is no UTF-8") from error


def as_text(value: object) -> str:
    """Return the one text that stands for `value`, be it in a value or in a key.

    Raises RetrieverFailed.
    """
    plain = _jsonable(value)
    return plain if isinstance(plain, str) else _dumps(plain)


def _member(column: Column, value: object) -> str:
    if column.kind is ColumnKind.JSON and isinstance(value, str) and _is_json(value):
        return value  # as it was written: to read it could change its numbers
    return _dumps(_jsonable(_typed(column, value)))


def _typed(column: Column, value: object) -> object:
    if column.kind is ColumnKind.BOOLEAN and value in (0, 1):
        return bool(value)
    return value


def _jsonable(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else json.dumps(value)
        case Decimal():
            return format(value, "f")
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case Mapping():
            return {as_text(name): _jsonable(member) for name, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_jsonable(member) for member in value]
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError as error:
        words = (
            f"the database gives a {type(value).__name__}, which has no text; cast it in a query"
        )
        raise RetrieverFailed(words) from error


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _dumps(plain: object) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
