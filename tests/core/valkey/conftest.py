from collections.abc import Iterator

import pytest
from fake_redis.cluster import FakeTrio, fake_trio
from fake_redis.server import FakeRedis, fake_redis


@pytest.fixture
def fake() -> Iterator[FakeRedis]:
    """A server that needs no other program."""
    with fake_redis() as started:
        yield started


@pytest.fixture
def fakes() -> Iterator[FakeTrio]:
    """A Cluster of such servers."""
    with fake_trio() as started:
        yield started
