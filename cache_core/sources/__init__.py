"""`[groups.NAME.source]`: what a config may say of each kind of source; a table a file."""

from typing import Annotated, TypeAlias

from pydantic import Field

from cache_core.sources.files.settings import FilesSource
from cache_core.sources.http.settings import HttpSource
from cache_core.sources.python.settings import PythonSource
from cache_core.sources.sql.settings import SqlSource
from cache_core.sources.valkey.settings import ValkeySource

Source: TypeAlias = Annotated[
    FilesSource | HttpSource | PythonSource | SqlSource | ValkeySource, Field(discriminator="kind")
]
"""A source's table, told by its `kind`."""

__all__ = [
    "FilesSource",
    "HttpSource",
    "PythonSource",
    "Source",
    "SqlSource",
    "ValkeySource",
]
