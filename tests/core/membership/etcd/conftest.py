import pytest
from cluster.fake_etcd import FakeEtcd


@pytest.fixture
def etcd(monkeypatch: pytest.MonkeyPatch) -> FakeEtcd:
    """An etcd in virtual time, to which every server's address leads."""
    fake = FakeEtcd()
    monkeypatch.setattr("cache_core.membership.etcd.servers.Etcd", fake)
    return fake
