"""The protocols by which a batch of keys becomes one statement, and its rows become answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from cache_core.errors import RetrieverFailed
from cache_core.loading.retriever import Retrieved


class Question(NamedTuple):
    """A statement with its parameters."""

    statement: Executable
    parameters: Mapping[str, object]


class Plan(Protocol):
    """A way to ask a database for keys, made of what was learnt of it."""

    def question(self, keys: Sequence[str]) -> Question | None:
        """Return the one statement that asks for `keys`; None where no row can have any of them."""

    def answers(
        self, keys: Sequence[str], rows: Iterable[Row[Any]]
    ) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the value or the error of each of `keys` that has a row; omit the others."""


class Form(Protocol):
    """One of the two forms of an sql source's settings: a table or a query."""

    setting: str
    """The setting at fault where the database refuses the statement."""

    async def learn(self, connection: AsyncConnection) -> Plan:
        """Return the plan for the types that the database tells of. Raises InvalidSource.

        Where the database refuses the statement, its own error is raised.
        """
