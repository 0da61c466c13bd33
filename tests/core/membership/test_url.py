import subprocess
import sys

import pytest

from cache_core.cluster.member import Member
from cache_core.membership.dns import DnsMembership
from cache_core.membership.etcd.membership import EtcdMembership
from cache_core.membership.membership import InvalidMembership, Membership
from cache_core.membership.static import StaticMembership
from cache_core.membership.url import EXAMPLES, open_membership

WITHOUT_AETCD = """
import sys
sys.modules["aetcd"] = None
from cache_core.membership.url import open_membership
open_membership("static://a:1")
open_membership("etcd://a:1/p")
"""


@pytest.mark.parametrize(
    ("url", "members"),
    [
        ("static://a:1,b:2*3,[::1]:80", {Member("a:1"), Member("b:2", 3), Member("[::1]:80")}),
        ("static://a:1,a:1", {Member("a:1")}),
        ("10.0.0.1:8080", {Member("10.0.0.1:8080")}),
        ("a:1,b:2", {Member("a:1"), Member("b:2")}),
    ],
)
async def test_a_list_is_static(url: str, members: set[Member]) -> None:
    assert await anext(open_membership(url).watch()) == members


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (EXAMPLES["static"], StaticMembership),
        (EXAMPLES["dns"], DnsMembership),
        (EXAMPLES["etcd"], EtcdMembership),
        ("etcd://user:p%40ss@[::1]:2379/gaocache/prod/", EtcdMembership),
    ],
)
def test_the_scheme_names_the_kind(url: str, kind: type[Membership]) -> None:
    assert type(open_membership(url)) is kind


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "'' is no host:port; right is, for example, static://10.0.0.1:8080"),
        ("static://", "'' is no host:port"),
        ("static://a:1,", "'' is no host:port"),
        ("static://a:1,b", "'b' is no host:port"),
        ("static://a:0", "'a:0' has no port that others can reach"),
        ("static://a:1*0", r"the weight in 'a:1\*0' is not a whole number from 1 to 100"),
        ("static://a:1,a:1*2", "a:1 is given with two weights, 1 and 2"),
        ("dns://cache.default.svc", "no host:port; right is, for example, dns://"),
        ("dns://a:1,b:2", "no host:port"),
        ("etcd://a:2379", "the prefix .* is missing; right is, for example, etcd://"),
        ("etcd://a:2379/", "the prefix .* is missing"),
        ("etcd://a/p", "'a' is no host:port"),
        ("etcd://root@a:2379/p", "a user needs a password"),
        ("consul://a:1", "unknown kind of membership 'consul'; right .* static:.* dns:.* etcd:"),
    ],
)
def test_what_is_wrong_and_what_is_right_is_told(url: str, words: str) -> None:
    with pytest.raises(InvalidMembership, match=words):
        open_membership(url)


@pytest.mark.parametrize(
    "url",
    [
        "etcd://root:s3cret@a/p",
        "etcd://root:s3cret/s3cret@a:0/p",
        "etcd://root:s3cret@s3cret@a:1",
        "etcd://:s3cret@a:1/p",
        "dns://root:s3cret@a:1",
        "root:s3cret@a:1",
        "redis://root:s3cret@a:1",
    ],
)
def test_a_password_is_in_no_message(url: str) -> None:
    with pytest.raises(InvalidMembership) as caught:
        open_membership(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in repr(error)
        error = error.__cause__ or error.__context__


def test_a_password_is_in_no_repr() -> None:
    membership = open_membership("etcd://root:s3cret@a:2379/p")
    assert "s3cret" not in f"{membership!r} {vars(membership)!r}"


def test_etcd_without_its_extra_says_what_to_install() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_AETCD], capture_output=True, text=True, check=False
    )
    assert "InvalidMembership: etcd:// needs the extra `etcd`: pip install" in ran.stderr
