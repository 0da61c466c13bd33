"""The form `query` of an sql source: any query with the parameter `:key`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Dialect, Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import InvalidSource, Retrieved
from cache_core.sources.sql import rows as encoding
from cache_core.sources.sql.connection.cancelling import execute
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault, fault_of
from cache_core.sources.sql.keys import Parse, parser_of
from cache_core.sources.sql.plan import Question
from cache_core.sources.sql.rows import Column, ColumnKind
from cache_core.sources.sql.statement import Statement, parse

_JSON_TYPES: Final = frozenset({"json", "jsonb"})


class QueryForm:
    """A Form that is a query; its first row for a key is the key's value. Raises InvalidSource."""

    setting = "query"

    def __init__(self, query: str, backend: str) -> None:
        self._query = parse(query, backend)

    async def learn(self, connection: AsyncConnection) -> "QueryPlan":
        """Return the plan for the columns that the query has in the database.

        Raises InvalidSource.
        """
        if connection.dialect.name == "postgresql":
            return await self._prepare(connection)
        two = _batched(self._query, range(2))
        probe = f"SELECT * FROM (\n{two}\n) AS probe LIMIT 0"  # noqa: S608 - the user's own query
        result = await execute(connection, text(probe), {"key_0": "", "key_1": ""})
        names = list(result.keys())[1:]
        return QueryPlan(self._query, str, [Column(name) for name in names])

    async def _prepare(self, connection: AsyncConnection) -> "QueryPlan":
        """Return the plan for the types of the key and the columns.

        PostgreSQL tells them of the prepared query, which is not run.
        """
        from asyncpg import InterfaceError, PostgresError  # noqa: PLC0415 - of an extra

        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            statement = await driver.prepare(_compiled(self._query.numbered(0), connection.dialect))
            await driver.prepare(_compiled(_batched(self._query, range(2)), connection.dialect))
        except PostgresError as error:
            raise fault_of(error) from error
        except InterfaceError as error:  # the connection was closed meanwhile
            raise DatabaseFault(Blame.UNAVAILABLE) from error
        if not statement.get_parameters():
            raise InvalidSource("query", "PostgreSQL finds no :key in it, only text or comments")
        (parameter, *_) = statement.get_parameters()
        parse_key = parser_of(parameter.name)
        if parse_key is None:
            words = f"it takes :key as {parameter.name}; write CAST(:key AS text), or of a number"
            raise InvalidSource("query", words)
        columns = [
            Column(
                found.name, ColumnKind.JSON if found.type.name in _JSON_TYPES else ColumnKind.PLAIN
            )
            for found in statement.get_attributes()
        ]
        return QueryPlan(self._query, parse_key, columns)


class QueryPlan:
    """A Plan that asks for a batch in one statement, which has the query once for each key."""

    def __init__(self, query: Statement, parse_key: Parse, columns: Sequence[Column]) -> None:
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidSource("query", f"it gives {twice[0]} twice, name one with AS")
        self._query = query
        self._parse = parse_key
        self._columns = columns

    def question(self, keys: Sequence[str]) -> Question | None:
        """Return the statement for those of `keys` that could be there, None if none could.

        It numbers the keys by their places.
        """
        bound: dict[int, object] = {}
        for number, key in enumerate(keys):
            try:
                bound[number] = self._parse(key)
            except ValueError:
                continue
        if not bound:
            return None
        return Question(
            text(_batched(self._query, bound)),
            {f"key_{number}": key for number, key in bound.items()},
        )

    def answers(
        self, keys: Sequence[str], rows: Iterable[Row[Any]]
    ) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the values by their keys; each row begins with its key's number.

        Of several rows of one key, the first counts.
        """
        found: dict[str, Retrieved | RetrieverFailed] = {}
        for row in rows:
            key = keys[row[0]]
            if key in found:
                continue
            try:
                found[key] = self._value_of(row[1:])
            except RetrieverFailed as error:
                found[key] = error
        return found

    def _value_of(self, values: Sequence[object]) -> Retrieved:
        if len(self._columns) == 1:
            return encoding.one(self._columns[0], values[0])
        return encoding.document(self._columns, values)


def _batched(query: Statement, numbers: Iterable[int]) -> str:
    return "\nUNION ALL\n".join(_numbered(query, number) for number in numbers)


def _numbered(query: Statement, number: int) -> str:
    """Return the query for the key of that number, with the number as the first column."""
    asked = query.numbered(number)
    return f"SELECT {number} AS gaocache_number, q.* FROM (\n{asked}\n) AS q"  # noqa: S608 - the user's own query


def _compiled(query: str, dialect: Dialect) -> str:
    return str(text(query).compile(dialect=dialect))
