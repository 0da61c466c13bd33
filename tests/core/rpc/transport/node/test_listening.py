"""Where a node listens."""

import socket

import pytest
from fake_participant import FakeParticipant, ask, channel_to, outcomes, serving

from cache_core import Value
from cache_core.address import Address
from cache_core.rpc.transport.node.listening import listen_at
from cache_core.rpc.transport.node.server import Server

NOBODYS, OTHERS = "203.0.113.77", "198.51.100.77"
"""Addresses of documentation, which no machine should have (RFC 5737)."""


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A name that means the addresses that the test is given."""
    truly = socket.getaddrinfo

    def getaddrinfo(host: str, *how: int, **given: int) -> list[object]:
        hosts = request.param if host == "node.example" else [host]
        return [found for each in hosts for found in truly(each, *how, **given)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return "node.example"


@pytest.mark.parametrize(
    "name", [["127.0.0.1", "::1"], ["::1", NOBODYS, "127.0.0.1"]], indirect=True
)
async def test_a_node_at_a_name_is_reached_at_all_its_addresses(name: str) -> None:
    async with serving(FakeParticipant({"k": Value(b"630")}), host=name) as address:
        for host in ("127.0.0.1", "::1"):
            async with channel_to(Address(host, address.port)) as channel:
                (found,) = await outcomes(channel, [ask("k")])
                assert isinstance(found, Value)


async def test_a_node_that_never_started_gives_its_port_back_when_it_stops() -> None:
    server = Server(Address("127.0.0.1", 0))
    address = server.bind()
    await server.stop(1)
    with socket.create_server(address):
        pass


@pytest.mark.parametrize("name", [[NOBODYS], [NOBODYS, OTHERS]], indirect=True)
def test_a_name_of_others_addresses_cannot_be_taken(name: str) -> None:
    with pytest.raises(OSError, match="assign"):
        listen_at(Address(name, 0))


@pytest.mark.parametrize("name", [["127.0.0.1", "::1"]], indirect=True)
def test_a_port_that_is_taken_at_one_address_is_not_taken_at_the_others(name: str) -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen_at(Address(name, port))
        with socket.socket() as free:
            free.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a past connection's is free
            free.bind(("127.0.0.1", port))
