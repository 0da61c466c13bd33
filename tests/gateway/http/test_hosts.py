"""Which hosts a gateway answers for."""

import pytest

from gateway.http.hosts import Hosts

ADDRESSES = ["127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:80", "[fe80::1]", "10.0.0.5:9"]
LOCAL = ["localhost", "LOCALHOST:8000", "localhost.", "app.localhost:1"]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evillocalhost",
    "127.1",
    "2130706433",
    "0x7f.1",
    "[::1].evil.example",
    "cache.example.com.evil.example",
]


@pytest.mark.parametrize("host", [*ADDRESSES, *LOCAL, ""])
def test_a_gateway_of_this_machine_serves_its_names_and_addresses(host: str) -> None:
    assert Hosts(is_local=True).serve(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_gateway_of_this_machine_serves_no_other_name(host: str) -> None:
    assert not Hosts(is_local=True).serve(host)
    assert not Hosts(["cache.example.com"], is_local=True).serve(host)
    assert not Hosts(["cache.example.com"]).serve(host)


@pytest.mark.parametrize("is_local", [True, False])
@pytest.mark.parametrize("host", ["cache.example.com", "Cache.Example.COM:8443"])
def test_a_name_that_was_given_is_served(host: str, is_local: bool) -> None:
    assert Hosts(["cache.example.com"], is_local=is_local).serve(host)


@pytest.mark.parametrize("host", [*ADDRESSES, *LOCAL, *FOREIGN])
def test_others_serve_any_name_and_so_does_a_star(host: str) -> None:
    assert Hosts().serve(host)
    assert Hosts(["*"], is_local=True).serve(host)
    assert Hosts(["a", "*"]).serve(host)
