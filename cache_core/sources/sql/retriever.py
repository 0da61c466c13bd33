"""The retriever for an SQL database: it learns once what to ask, then asks for batches."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cache_core.errors import RetrieverFailed, SourceUnavailable
from cache_core.loading.retriever import InvalidSource, Retrieved
from cache_core.sources.sql.connection.cancelling import execute
from cache_core.sources.sql.connection.database import Database
from cache_core.sources.sql.connection.fault import Blame, DatabaseFault
from cache_core.sources.sql.connection.url import parse_url
from cache_core.sources.sql.plan import Form, Plan
from cache_core.sources.sql.query import QueryForm
from cache_core.sources.sql.settings import SqlSource
from cache_core.sources.sql.table import TableForm

BATCH: Final = 256
"""The most keys in a statement: SQLite takes 500 terms in a UNION."""


class SqlRetriever:
    """A CheckedRetriever and BatchRetriever for the table or the query that `source` describes.

    A relative SQLite path starts at `folder`. A single column is the value as it is: bytes, text
    as UTF-8, numbers as decimal text; NULL in it is no such key, as a missing row is. Several
    columns are a JSON document, see rows.py. Nothing is ever written, and up to BATCH keys go into
    one statement. Raises InvalidSource for settings that can't work.
    """

    def __init__(self, source: SqlSource, *, folder: Path) -> None:
        self._form = _form(source)
        self._database = Database(
            source.url,
            folder=folder,
            pool_size=source.pool_size,
            connect_timeout=source.connect_timeout,
            statement_timeout=source.statement_timeout,
        )
        self._plan: Plan | None = None

    async def retrieve(self, key: str) -> Retrieved:
        """Return the value for `key`, or None. Raises SourceUnavailable, RetrieverFailed.

        A query whose caller is cancelled is ended in the database too.
        """
        found = (await self.retrieve_many([key])).get(key)
        if isinstance(found, RetrieverFailed):
            raise found
        return found

    async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the values found for `keys`, and the errors of single keys.

        A statement asks for BATCH keys at the most. Raises SourceUnavailable, RetrieverFailed.
        """
        found: dict[str, Retrieved | RetrieverFailed] = {}
        for start in range(0, len(keys), BATCH):
            found.update(await self._answers(keys[start : start + BATCH]))
        return found

    async def check(self) -> None:
        """Ask the database whether the table or the query can work; no row is read.

        Raises InvalidSource, SourceUnavailable.
        """
        try:
            self._plan = await self._database.run(self._form.learn)
        except DatabaseFault as fault:
            if fault.blame is Blame.UNAVAILABLE:
                raise SourceUnavailable(fault.said) from fault
            if fault.blame is Blame.ACCESS:
                raise InvalidSource("url", fault.said) from fault
            raise InvalidSource(self._form.setting, f"the database says: {fault.words}") from fault

    async def aclose(self) -> None:
        """Close the connections; those that take too long are left behind."""
        await self._database.aclose()

    async def _answers(self, keys: Sequence[str]) -> Mapping[str, Retrieved | RetrieverFailed]:
        """Return the values found for `keys`; a key that makes the statement fail fails alone."""
        try:
            return await self._database.run(lambda connection: self._ask(connection, keys))
        except InvalidSource as error:  # the table changed after the check, or no check got through
            raise RetrieverFailed(f"{error.setting}: {error}") from error
        except DatabaseFault as fault:
            if fault.blame is Blame.UNAVAILABLE:
                raise SourceUnavailable(fault.said) from fault
            self._plan = None  # the table may have been altered since it was learnt
            if fault.blame is Blame.ACCESS:
                raise RetrieverFailed(fault.said) from fault
            if len(keys) == 1:
                return {keys[0]: RetrieverFailed(fault.said)}
        middle = len(keys) // 2
        halves = [await self._answers(half) for half in (keys[:middle], keys[middle:])]
        return dict(chain.from_iterable(half.items() for half in halves))

    async def _ask(
        self, connection: AsyncConnection, keys: Sequence[str]
    ) -> Mapping[str, Retrieved | RetrieverFailed]:
        plan = self._plan or await self._form.learn(connection)
        self._plan = plan
        question = plan.question(keys)
        if question is None:
            return {}
        rows = await execute(connection, question.statement, question.parameters)
        return plan.answers(keys, rows)


def _form(source: SqlSource) -> Form:
    if source.query is not None:
        return QueryForm(source.query, parse_url(source.url).get_backend_name())
    if source.table is None or source.key_column is None:
        raise InvalidSource("table", "it should have query, or table and key_column")
    return TableForm(source.table, source.key_column, source.value_column, source.key_separator)
