"""The form `table` of an sql source, with `key_column` and `value_column`."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    inspect,
    or_,
    quoted_name,
    select,
)
from sqlalchemy.dialects.mysql import TINYINT
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.dialects.postgresql.ranges import AbstractRange
from sqlalchemy.exc import NoSuchTableError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import ARRAY, JSON, Boolean, NullType, TypeEngine

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import InvalidSource, Retrieved
from cache_core.sources.sql import rows as encoding
from cache_core.sources.sql.connection.cancelling import execute
from cache_core.sources.sql.keys import Binding, binding_of
from cache_core.sources.sql.plan import Question
from cache_core.sources.sql.rows import Column, ColumnKind


class TableForm:
    """A Form for the rows of a table or a view by their keys.

    A key is the text of one column, or those of several columns with `separator` between them.
    """

    setting = "table"

    def __init__(
        self,
        table: tuple[str, ...],
        key_columns: tuple[str, ...],
        value_column: str | tuple[str, ...] | None,
        separator: str,
    ) -> None:
        self._table = table
        self._key_columns = key_columns
        self._value_column = value_column
        self._separator = separator

    async def learn(self, connection: AsyncConnection) -> "TablePlan":
        """Return the plan for the columns that the table has in the database.

        Raises InvalidSource.
        """
        try:
            found = await connection.run_sync(column_types, self._table)
        except NoSuchTableError:
            raise InvalidSource("table", f"there is no table {'.'.join(self._table)}") from None
        plan = self.plan(found, connection.dialect.name)
        await execute(connection, plan.probe(), {})
        return plan

    def plan(self, found: Mapping[str, TypeEngine[Any]], dialect: str) -> "TablePlan":
        """Return the plan for a table with the columns `found`. Raises InvalidSource."""
        keys = {}
        for name in self._key_columns:
            binding = binding_of(_found(found, "key_column", name), dialect)
            if binding is None:
                words = f"{name} is of type {found[name]}, which can't be a key; use query"
                raise InvalidSource("key_column", words)
            keys[name] = binding
        given = self._value_column
        names = tuple(found) if given is None else (given,) if isinstance(given, str) else given
        columns = [
            Column(name, kind_of(_found(found, "value_column", name), dialect)) for name in names
        ]
        return TablePlan(
            self._table,
            keys,
            columns,
            separator=self._separator,
            is_document=not isinstance(given, str),
        )


def column_types(
    connection: sqlalchemy.Connection, table: tuple[str, ...]
) -> Mapping[str, TypeEngine[Any]]:
    """Return the columns' types by their names, in order. Raises NoSuchTableError."""
    *schema, name = table
    overlook_unknown_types()
    found = inspect(connection).get_columns(name, schema=schema[0] if schema else None)
    return {str(each["name"]): each["type"] for each in found}


def overlook_unknown_types() -> None:
    """Keep SQLAlchemy from warning of column types that it does not know, from now on.

    `warnings.catch_warnings` would undo this for other calls that look at tables at the same time.
    """
    warnings.filterwarnings("ignore", "Did not recognize type|Could not instantiate", SAWarning)


def kind_of(type_: TypeEngine[Any], dialect: str) -> ColumnKind:
    """Return the kind of a column of that type."""
    if dialect == "postgresql" and _has_only_its_own_text(type_):
        return ColumnKind.CAST
    is_tinyint_1 = isinstance(type_, TINYINT) and type_.display_width == 1  # MySQL's BOOLEAN
    if isinstance(type_, Boolean) or is_tinyint_1:
        return ColumnKind.BOOLEAN
    return ColumnKind.JSON if isinstance(type_, JSON) else ColumnKind.PLAIN


def _has_only_its_own_text(type_: TypeEngine[Any]) -> bool:
    """Tell whether PostgreSQL's driver turns values of that type into objects without a text."""
    if isinstance(type_, ARRAY):
        return _has_only_its_own_text(type_.item_type)
    return isinstance(type_, AbstractRange | BIT | NullType)


def _found(types: Mapping[str, TypeEngine[Any]], setting: str, name: str) -> TypeEngine[Any]:
    if name not in types:
        raise InvalidSource(setting, f"there is no column {name}, use {', '.join(types)}")
    return types[name]


class TablePlan:
    """A Plan that asks for all keys of a batch at once; a row's own columns tell its key."""

    def __init__(
        self,
        table: tuple[str, ...],
        keys: Mapping[str, Binding],
        columns: Sequence[Column],
        *,
        separator: str,
        is_document: bool,
    ) -> None:
        *schema, name = table
        self._bindings = tuple(keys.values())
        self._columns = columns
        self._separator = separator
        self._is_document = is_document
        # With the table before its name: SQLite takes another quoted name, if no column has it, for
        # a text, so that a column that is gone would have its name as its value.
        asked = sqlalchemy.table(
            quoted_name(name, quote=True),
            *map(_column, dict.fromkeys((*keys, *(each.name for each in columns)))),
            schema=quoted_name(schema[0], quote=True) if schema else None,
        )
        self._keys: list[ColumnElement[Any]] = [asked.c[key] for key in keys]
        values = (_value(asked.c[each.name], each.kind) for each in columns)
        # Labels keep apart the two uses of a column that is part of both key and value.
        labelled = [
            clause.label(f"gaocache_{number}")
            for number, clause in enumerate((*self._keys, *values))
        ]
        self._rows: Select[Any] = select(*labelled).select_from(asked)

    def probe(self) -> Select[Any]:
        """Return a statement that tries the table and its columns, and reads no row."""
        return self._rows.limit(0)

    def question(self, keys: Sequence[str]) -> Question | None:
        """Return the statement for those of `keys` that could be there, None if none could."""
        parsed = [parts for key in keys if (parts := self._parse(key)) is not None]
        if not parsed:
            return None
        if len(self._keys) == 1:
            (binding,) = self._bindings
            (clause,) = self._keys
            bound = bindparam("keys", [part for (part,) in parsed], binding.type, expanding=True)
            return Question(self._rows.where(clause.in_(bound)), {})
        return Question(self._rows.where(or_(*map(self._is_key, parsed))), {})

    def answers(
        self, keys: Sequence[str], rows: Iterable[Row[Any]]
    ) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the values by the rows' own keys; of several rows of one key, the first counts."""
        wanted = set(keys)
        found: dict[str, Retrieved | RetrieverFailed] = {}
        for row in rows:
            try:
                key = self._key_of(row)
                if key not in wanted or key in found:
                    continue
                found[key] = self._value_of(row[len(self._keys) :])
            except RetrieverFailed as error:
                found[key] = error
        return found

    def _parse(self, key: str) -> Sequence[object] | None:
        """Return what to bind for each part of `key`; None where no row can have it."""
        parts = key.split(self._separator) if len(self._bindings) > 1 else [key]
        if len(parts) != len(self._bindings):
            return None
        try:
            return [
                binding.parse(part) for binding, part in zip(self._bindings, parts, strict=True)
            ]
        except ValueError:
            return None

    def _is_key(self, parts: Sequence[object]) -> ColumnElement[bool]:
        """Return the condition on all key columns.

        An index over the columns serves it; the index would not serve row values.
        """
        return and_(
            *(
                clause == bindparam(None, part, binding.type)
                for clause, part, binding in zip(self._keys, parts, self._bindings, strict=True)
            )
        )

    def _key_of(self, row: Row[Any]) -> str:
        return self._separator.join(
            binding.holds(stored) for binding, stored in zip(self._bindings, row, strict=False)
        )

    def _value_of(self, values: Sequence[object]) -> Retrieved:
        if self._is_document:
            return encoding.document(self._columns, values)
        return encoding.one(self._columns[0], values[0])


def _value(found: ColumnElement[Any], kind: ColumnKind) -> ColumnElement[Any]:
    return cast(found, Text) if kind is ColumnKind.CAST else found


def _column(name: str) -> ColumnClause[Any]:
    return column(quoted_name(name, quote=True))
