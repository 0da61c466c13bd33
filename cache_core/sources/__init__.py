"""The config's `[groups.NAME.source]`: the settings of each kind of source; a table a file."""

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
"""The settings of one source; its `kind` tells which of the tables they are."""

__all__ = [
    "FilesSource",
    "HttpSource",
    "PythonSource",
    "Source",
    "SqlSource",
    "ValkeySource",
]
