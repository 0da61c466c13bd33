import pytest
from fake_tier import FakeTier
from fakes import FakeClock


@pytest.fixture
def tier(clock: FakeClock) -> FakeTier:
    """A second tier that nodes share."""
    return FakeTier(clock)
