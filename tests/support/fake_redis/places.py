"""Parameters that run a test with fake Redises, and with the mark `service` with real ones too."""

from typing import Final, TypeAlias

import pytest
from fake_redis.cluster import FakeTrio, fake_trio
from fake_redis.server import FakeRedis, fake_redis
from sources.redis_servers import RedisServer, RedisTrio, redis_server, redis_trio

AnyServer: TypeAlias = FakeRedis | RedisServer
AnyTrio: TypeAlias = FakeTrio | RedisTrio
AnyRedis: TypeAlias = AnyServer | AnyTrio


SERVERS: Final = (
    pytest.param(fake_redis, id="fake"),
    pytest.param(redis_server, id="single", marks=pytest.mark.service),
)

TRIOS: Final = (
    pytest.param(fake_trio, id="fake-cluster"),
    pytest.param(redis_trio, id="cluster", marks=pytest.mark.service),
)

PLACES: Final = (*SERVERS, *TRIOS)
"""Each starts a server or a Cluster, given a folder for its data."""
