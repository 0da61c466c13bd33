"""The settings of a source that is a table or a query in an SQL database."""

from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cache_core.settings import Count, Seconds, Table

NAMES: Final = "it should be a name, or a list of names"


def _parse_names(given: object) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(NAMES)
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(NAMES)
    return tuple(names)


def _parse_table(given: object) -> tuple[str, ...]:
    names = _parse_names(given.split(".", 1) if isinstance(given, str) else given)
    if len(names) > 2:
        raise ValueError('it should be a name, like "orders", "sales.orders" or ["a.b", "c.d"]')
    return names


def _parse_columns(given: object) -> str | tuple[str, ...]:
    names = _parse_names(given)
    return given if isinstance(given, str) else names


Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_parse_names)]
TableName: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_parse_table)]
ColumnNames: TypeAlias = Annotated[str | tuple[str, ...], BeforeValidator(_parse_columns)]


class SqlSource(Table):
    """`[groups.NAME.source]` with `kind = "sql"`: a query, or a table and its key's columns.

    `query` has the one parameter `:key`. `table` is a name, with its schema before a dot or as a
    list of both; a list of one is a name with dots of its own. `value_column` is one column, a
    list for a JSON document of several, or nothing for the whole row as one.
    """

    kind: Literal["sql"] = "sql"
    url: str = Field(repr=False, description="such as postgresql://user:password@host/database")
    query: str | None = Field(default=None, description="a query with the parameter `:key`")
    table: TableName | None = Field(default=None, description="the table, instead of a query")
    key_column: Names | None = Field(default=None, description="the key's column or columns")
    value_column: ColumnNames | None = Field(
        default=None, description="the value's column or columns; without it, the whole row"
    )
    key_separator: str = Field(
        default="/", min_length=1, description="what stands between the parts of a composite key"
    )
    pool_size: Count = Field(default=10, gt=0, description="the most connections of a node")
    connect_timeout: Seconds = Field(
        default=5.0, gt=0, description="how long it may take to get a connection"
    )
    statement_timeout: Seconds = Field(
        default=10.0, gt=0, description="how long the database may take for an answer"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        has_columns = self.key_column is not None or self.value_column is not None
        if self.query is not None and (self.table is not None or has_columns):
            raise ValueError("it should have either query, or table and key_column")
        if self.query is None and (self.table is None or self.key_column is None):
            raise ValueError("it should have query, or table and key_column")
        return self
