from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cluster.fleet import Fleet, MakeFleet, environment_in


@pytest.fixture
async def make_fleet(tmp_path: Path) -> AsyncIterator[MakeFleet]:
    """Return a way to have nodes as processes, which end with the test."""
    made: list[Fleet] = []

    def make(keys: int = 300, **variables: str) -> Fleet:
        made.append(Fleet(tmp_path, keys, {**environment_in(tmp_path), **variables}))
        return made[-1]

    yield make
    for fleet in made:
        await fleet.aclose()
