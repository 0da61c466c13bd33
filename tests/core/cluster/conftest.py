import pytest
from fake_members import FakeMembers


@pytest.fixture
def members() -> FakeMembers:
    """The nodes and the membership of a test in virtual time."""
    return FakeMembers()
