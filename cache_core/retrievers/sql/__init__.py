"""A group's source is a table of, or a query in, an SQL database; an idea a file."""

from cache_core.retrievers.sql.retriever import SqlRetriever

__all__ = ["SqlRetriever"]
