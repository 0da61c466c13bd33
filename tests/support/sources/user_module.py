"""A module of a user's own, beside their config."""

import uuid
from pathlib import Path

from cache_core.sources.python.retriever import PythonRetriever
from cache_core.sources.python.settings import PythonSource


class Beside:
    """A folder with one module of a name that no other has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = f"beside_{uuid.uuid4().hex}"

    def write(self, text: str) -> "Beside":
        (self.folder / f"{self.module}.py").write_text(text)
        return self

    def open(self, path: str, **settings: object) -> PythonRetriever:
        given = {"target": f"{self.module}:{path}", **settings}
        return PythonRetriever(PythonSource.model_validate(given), folder=self.folder)
