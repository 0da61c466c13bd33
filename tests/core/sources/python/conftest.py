import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources.user_module import Beside


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    """A folder for a module of a user's own, which is forgotten after the test."""
    path, modules = list(sys.path), set(sys.modules)
    yield Beside(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
