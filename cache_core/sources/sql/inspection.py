"""Finding the tables of a database that could be groups, and why the others could not."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy
from sqlalchemy import Connection, Inspector, inspect, select
from sqlalchemy.exc import DBAPIError, NoSuchTableError, UnreflectableTableError
from sqlalchemy.sql.elements import ColumnElement, quoted_name
from sqlalchemy.types import NullType, TypeEngine

from cache_core.errors import SourceUnavailable
from cache_core.loading.retriever import InvalidSource
from cache_core.settings import MAX_GROUP_BYTES
from cache_core.sources.sql.connection.database import Database
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault, fault_of
from cache_core.sources.sql.keys import AS_IS, binding_of
from cache_core.sources.sql.settings import SqlSource
from cache_core.sources.sql.table import TableForm, overlook_unknown_types

CONNECT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 120.0
"""How long the database may take to tell of all its tables."""


class Proposed(NamedTuple):
    """A group that a table could be: its rows by the primary key.

    `example` are the parts of one row's key, None where no such row could be read.
    """

    name: str
    source: SqlSource
    example: tuple[str, ...] | None = None


class LeftOut(NamedTuple):
    """A table or a view that can't be a group, and why."""

    table: str
    why: str


class Found(NamedTuple):
    """The tables and views of a database: possible groups, and those that can't be one.

    The tables come in the order of their schemas and names, and the views after them.
    """

    groups: Sequence[Proposed]
    left_out: Sequence[LeftOut]


class _Table(NamedTuple):
    schema: str | None
    name: str

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"

    @property
    def setting(self) -> tuple[str, ...]:
        return (self.name,) if self.schema is None else (self.schema, self.name)


async def look_over(url: str, *, folder: Path) -> Found:
    """Return the tables of the database at `url` that could be groups, and the others.

    A relative path starts at `folder`. In PostgreSQL the tables are those of all schemas. Raises
    InvalidSource, SourceUnavailable.
    """
    database = Database(
        url,
        folder=folder,
        pool_size=1,
        connect_timeout=CONNECT_SECONDS,
        statement_timeout=LOOK_SECONDS,
    )
    try:
        return await database.run(lambda connection: connection.run_sync(_look, url))
    except DatabaseFault as fault:
        if fault.blame is Blame.UNAVAILABLE:
            raise SourceUnavailable(fault.said) from fault
        raise InvalidSource("url", f"{fault.said}: {fault.words}") from fault
    finally:
        await database.aclose()


def _look(connection: Connection, url: str) -> Found:
    overlook_unknown_types()
    inspector = inspect(connection)
    groups: dict[str, Proposed] = {}
    left_out = []
    for table in _tables(inspector):
        why = _trouble(connection, inspector, table)
        if not why and str(table) in groups:
            why = "another table has that name"
        if why:
            left_out.append(LeftOut(str(table), why))
        else:
            proposed = _proposed(inspector, table, url)
            example = _example(connection, inspector, table)
            groups[str(table)] = proposed._replace(example=example)
    for schema in _schemas(inspector):
        left_out += [
            LeftOut(str(_Table(schema, view)), "it is a view, which has no primary key")
            for view in inspector.get_view_names(schema)
        ]
    return Found(list(groups.values()), left_out)


def _tables(inspector: Inspector) -> Iterator[_Table]:
    for schema in _schemas(inspector):
        for name in sorted(inspector.get_table_names(schema)):
            yield _Table(schema, name)


def _schemas(inspector: Inspector) -> list[str | None]:
    """Return the schemas to look at; None is the default one, which needs no name."""
    if inspector.dialect.name != "postgresql":
        return [None]  # MySQL's schemas are other databases
    system = {"information_schema", inspector.default_schema_name}
    return [None, *sorted(name for name in inspector.get_schema_names() if name not in system)]


def _objection(connection: Connection, inspector: Inspector, table: _Table) -> str:
    """Return why the table can't be a group; empty where it can."""
    if not table.name:
        return "it has no name"
    if len(str(table).encode()) > MAX_GROUP_BYTES:
        return f"its name has more than {MAX_GROUP_BYTES} bytes"
    key = _key(inspector, table)
    if not key:
        return "it has no primary key"
    types = _types(inspector, table)
    for name in key:
        if not name:
            return "a column of its key has no name"
        if name in types and binding_of(types[name], inspector.dialect.name) is None:
            if isinstance(types[name], NullType):
                return f"its key {name} is of a type that can't be a key"
            return f"its key {name} is of type {types[name]}, which can't be a key"
    form = TableForm(table.setting, key, None, "/")
    connection.execute(form.plan(types, inspector.dialect.name).probe())  # as a node does first
    return ""


def _example(connection: Connection, inspector: Inspector, table: _Table) -> tuple[str, ...] | None:
    """Return the parts of any one row's key; None where no such row can be read."""
    key = _key(inspector, table)
    columns: list[ColumnElement[Any]] = [
        sqlalchemy.column(quoted_name(name, quote=True)) for name in key
    ]
    schema = None if table.schema is None else quoted_name(table.schema, quote=True)
    rows = sqlalchemy.table(quoted_name(table.name, quote=True), schema=schema)
    try:
        row = connection.execute(select(*columns).select_from(rows).limit(1)).first()
    except DBAPIError:  # a user who may see its columns need not be allowed to read it
        return None
    if row is None or None in row:
        return None
    types = _types(inspector, table)
    bindings = (binding_of(types[name], inspector.dialect.name) or AS_IS for name in key)
    return tuple(binding.holds(part) for binding, part in zip(bindings, row, strict=True))


def _types(inspector: Inspector, table: _Table) -> dict[str, TypeEngine[Any]]:
    columns = inspector.get_columns(table.name, schema=table.schema)
    return {column["name"]: column["type"] for column in columns}


def _trouble(connection: Connection, inspector: Inspector, table: _Table) -> str:
    """Return `_objection`, or what the database itself objects to this one table."""
    try:
        return _objection(connection, inspector, table)
    except InvalidSource as error:
        return str(error)
    except (NoSuchTableError, UnreflectableTableError):
        return "the database does not tell of its columns"
    except DBAPIError as error:
        fault = fault_of(error)
        if fault.blame is Blame.UNAVAILABLE:
            raise
        return f"the database says: {fault.words}"


def _key(inspector: Inspector, table: _Table) -> tuple[str, ...]:
    found = inspector.get_pk_constraint(table.name, schema=table.schema)
    return tuple(found["constrained_columns"])


def _proposed(inspector: Inspector, table: _Table, url: str) -> Proposed:
    key = _key(inspector, table)
    return Proposed(str(table), SqlSource(url=url, table=table.setting, key_column=key))
