"""How a batch of keys becomes one statement, and its rows their answers."""

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
    """What was learnt of the database, ready to ask for keys."""

    def question(self, keys: Sequence[str]) -> Question | None:
        """Return the one statement that asks for all of `keys`; None where none can be there."""

    def answers(
        self, keys: Sequence[str], rows: Iterable[Row[Any]]
    ) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return what `rows` say of each of `keys`."""


class Form(Protocol):
    """One of the two forms in which a config says what to ask."""

    setting: str
    """The key in the source's table at fault where the database refuses the statement."""

    async def learn(self, connection: AsyncConnection) -> Plan:
        """Return the plan, of what the database says of types. Raises InvalidSource.

        It is an error of the database's where the statement can't work.
        """
