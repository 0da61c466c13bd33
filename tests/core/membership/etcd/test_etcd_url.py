"""What a URL of etcd says is what etcd is asked with."""

import pytest
from cluster.fake_etcd import FakeEtcd
from virtual_time import in_virtual_time

from cache_core.cluster.member import Member
from cache_core.membership.etcd.api import Credentials
from cache_core.membership.url import open_membership

A = Member("10.0.0.1:8080")


@pytest.mark.parametrize(
    ("url", "servers", "prefix", "credentials"),
    [
        ("etcd://a:1/p", ["a:1"], "/p/", None),
        ("etcd://a:1,[::1]:2/gaocache/prod/", ["a:1", "[::1]:2"], "/gaocache/prod/", None),
        ("etcd://root:s3cret@a:1/p", ["a:1"], "/p/", Credentials("root", "s3cret")),
        ("etcd://ro%3Aot:p%40%2Fss%25@a:1/p", ["a:1"], "/p/", Credentials("ro:ot", "p@/ss%")),
        ("etcd://root:p@ss:word@a:1/p", ["a:1"], "/p/", Credentials("root", "p@ss:word")),
    ],
)
def test_servers_prefix_and_credentials_are_those_of_the_url(
    etcd: FakeEtcd, url: str, servers: list[str], prefix: str, credentials: Credentials | None
) -> None:
    @in_virtual_time
    async def holds() -> None:
        membership = open_membership(url)
        await membership.join(A)
        assert list(etcd.entries) == [prefix + A.name]
        await membership.leave()  # over another connection
        assert [str(server) for _, server in etcd.connects] == (servers * 2)[:2]
        assert etcd.credentials == {credentials}

    holds()
