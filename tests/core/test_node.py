import pytest
from fakes import FakeSource

from cache_core import Client, Group, Node
from cache_core.address import InvalidAddress


async def test_two_nodes_in_one_process_share_nothing() -> None:
    sources = FakeSource({"k": b"one"}), FakeSource({"k": b"two"})
    async with (
        Node("127.0.0.1:0", [Group("g", sources[0])]) as one,
        Node("127.0.0.1:0", [Group("g", sources[1])]) as two,
        Client(one.address) as to_one,
        Client(two.address) as to_two,
    ):
        assert (await to_one.get("g", "k")).data == b"one"
        assert (await to_two.get("g", "k")).data == b"two"


async def test_groups_are_found_by_name(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)])
    assert (await node.group("scores").get("Tom")).data == b"630"
    with pytest.raises(KeyError):
        node.group("none")


def test_two_groups_of_one_name_are_refused(source: FakeSource) -> None:
    with pytest.raises(ValueError, match="two groups are named g"):
        Node("127.0.0.1:0", [Group("g", source), Group("g", source)])


@pytest.mark.parametrize("address", ["8080", "1.2.3:80", ":8080"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddress, match=r"it should be x\.x\.x\.x:port"):
        Node(address)


async def test_an_address_in_use_is_an_os_error(node: Node, source: FakeSource) -> None:
    other = Node(node.address, [Group("scores", source)])
    with pytest.raises(OSError, match="in use"):
        await other.start()
    await other.stop()


async def test_stopping_closes_the_sources(source: FakeSource) -> None:
    async with Node("127.0.0.1:0", [Group("scores", source)]):
        assert not source.closed
    assert source.closed


def test_the_default_address_is_the_tutorials() -> None:
    assert Node().address == "127.0.0.1:8080"
    assert str(Client().address) == "127.0.0.1:8080"
