"""From a key's text to the parameter for it, so that an index is used and no two keys are one.

The parameter only finds candidates: a table's plan then compares each row's key, as text, with the
keys that were asked for. So `01` never finds 1, nor `tom` Tom in a table that ignores case.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import types
from sqlalchemy.dialects.postgresql import CITEXT, DOMAIN

from cache_core.sources.sql.rows import as_text

Parse: TypeAlias = Callable[[str], object]
"""A function that returns the parameter for a key; raises ValueError where no row can have it."""

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?", re.ASCII)
_TRUTH: Final[Mapping[str, bool]] = MappingProxyType({"true": True, "false": False})


class Binding(NamedTuple):
    """How a key is bound: as the parameter that `parse` makes of it, of the SQL type `type`.

    `is_padded` tells that the database adds blanks to the text that it holds.
    """

    parse: Parse
    type: types.TypeEngine[Any]
    is_padded: bool = False

    def holds(self, stored: object) -> str:
        """Return the key of a row that has `stored` in this column."""
        text = as_text(stored)
        return text.rstrip(" ") if self.is_padded else text


AS_IS: Final = Binding(str, types.String())


def binding_of(column: types.TypeEngine[Any], dialect: str) -> Binding | None:
    """Return the binding for a key column of that type; None where its values can't be keys."""
    if isinstance(column, DOMAIN):
        return binding_of(column.data_type, dialect)
    if isinstance(column, types.LargeBinary | types.Float | types.JSON | types.ARRAY):
        return None
    if dialect == "sqlite":  # it converts the text by the column's affinity
        return None if isinstance(column, types.NullType) else AS_IS
    return _typed(column, is_postgres=dialect == "postgresql")


def _typed(column: types.TypeEngine[Any], *, is_postgres: bool) -> Binding | None:
    match column:
        case types.String() if not isinstance(column, types.Enum):
            return _text(column, is_postgres=is_postgres)
        case types.Enum():
            return Binding(_one_of(frozenset(column.enums)), column if is_postgres else AS_IS.type)
        case types.Uuid():
            return Binding(_uuid, types.Uuid()) if is_postgres else AS_IS
        case types.Boolean():
            return Binding(_truth, types.Boolean())
        case types.Integer():
            return Binding(integer(64), types.BigInteger())
        case types.Numeric():
            return Binding(_decimal, types.Numeric(asdecimal=True))
        case types.Date():
            return Binding(_date, types.Date())
        case types.DateTime():
            zoned = bool(column.timezone)
            return Binding(_datetime(zoned=zoned), types.DateTime(timezone=zoned))
        case _:
            return None


def _text(column: types.String, *, is_postgres: bool) -> Binding:
    if isinstance(column, types.CHAR):
        return Binding(_unpadded, types.String(), is_padded=True)
    if isinstance(column, CITEXT):
        return Binding(_without_nul, CITEXT())
    return Binding(_without_nul, types.String()) if is_postgres else AS_IS


def parser_of(parameter: str) -> Parse | None:
    """Return the parser for a parameter of that type in PostgreSQL; None where there is none."""
    return _PARAMETERS.get(parameter)


def integer(bits: int) -> Parse:
    """Return the parser of integers of so many bits; it refuses leading zeros, blanks and plus."""
    limit = 1 << (bits - 1)

    def parse(key: str) -> int:
        number = int(_matched(_INTEGER, key))
        if not -limit <= number < limit:
            raise ValueError("out of range")
        return number

    return parse


def _matched(form: re.Pattern[str], key: str) -> str:
    if not form.fullmatch(key):
        raise ValueError("of another form")
    return key


def _decimal(key: str) -> Decimal:
    return Decimal(_matched(_DECIMAL, key))


def _truth(key: str) -> bool:
    if key not in _TRUTH:
        raise ValueError("neither true nor false")
    return _TRUTH[key]


def _one_of(names: frozenset[str]) -> Parse:
    def parse(key: str) -> str:
        if key not in names:
            raise ValueError("not one of the names")
        return key

    return parse


def _same(key: str, parsed: object) -> object:
    """Return `parsed` where `key` is the one text that stands for it; else raise ValueError."""
    if as_text(parsed) != key:
        raise ValueError("of another form")
    return parsed


def _uuid(key: str) -> object:
    return _same(key, UUID(key))


def _date(key: str) -> object:
    return _same(key, date.fromisoformat(key))


def _datetime(*, zoned: bool) -> Parse:
    def parse(key: str) -> object:
        parsed = datetime.fromisoformat(key)
        if (parsed.tzinfo is not None) != zoned:
            raise ValueError("with a time zone too many or too few")
        return _same(key, parsed)

    return parse


def _without_nul(key: str) -> str:
    if "\0" in key:
        raise ValueError("no text in PostgreSQL has it")
    return key


def _unpadded(key: str) -> str:
    if key.endswith(" "):
        raise ValueError("blanks at the end are not told apart")
    return _without_nul(key)


_PARAMETERS: Final[Mapping[str, Parse]] = MappingProxyType(
    {
        **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext"), _without_nul),
        "int2": integer(16),
        "int4": integer(32),
        "int8": integer(64),
        "numeric": _decimal,
        "bool": _truth,
        "uuid": _uuid,
        "date": _date,
        "timestamp": _datetime(zoned=False),
        "timestamptz": _datetime(zoned=True),
    }
)
