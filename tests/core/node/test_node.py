import asyncio

import pytest
from fake_registry import FakeRegistry
from fakes import FakeSource, settled

from cache_core import (
    Client,
    Demand,
    Group,
    GroupSettings,
    InvalidKey,
    Node,
    NotCached,
    PeerUnavailable,
)
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


async def test_a_node_that_was_stopped_serves_again_at_its_address(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)])
    await node.start()
    address = node.address
    await node.stop()
    await node.start()
    assert node.address == address
    async with Client(address, timeout=10) as client:
        assert (await client.get("scores", "Tom")).data == b"630"
    await node.stop()


async def test_a_second_start_is_refused_and_the_first_serves_on(
    node: Node, client: Client
) -> None:
    with pytest.raises(OSError, match="in use"):
        await node.start()
    assert (await client.get("scores", "Tom")).data == b"630"


class ClosingSource(FakeSource):
    """Counts how often it is closed, and then does what it is told."""

    def __init__(self, *, error: Exception | None = None, hangs: bool = False) -> None:
        super().__init__()
        self.closings = 0
        self._error = error
        self._hangs = hangs

    async def aclose(self) -> None:
        self.closings += 1
        if self._hangs:
            await asyncio.Event().wait()
        if self._error is not None:
            raise self._error


async def test_a_source_that_fails_to_close_keeps_no_other_open() -> None:
    lost, stuck = OSError("lost"), OSError("stuck")
    sources = ClosingSource(error=lost), ClosingSource(error=stuck), ClosingSource()
    node = Node("127.0.0.1:0", [Group(f"g{n}", source) for n, source in enumerate(sources)])
    await node.start()
    with pytest.raises(ExceptionGroup, match="sources failed to close") as caught:
        await node.stop()
    assert caught.value.exceptions == (lost, stuck)
    assert [source.closings for source in sources] == [1, 1, 1]


async def test_a_second_stop_closes_no_source_again() -> None:
    source = ClosingSource()
    async with Node("127.0.0.1:0", [Group("g", source)]) as node:
        await node.stop()
    assert source.closings == 1


async def test_a_source_that_never_closes_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache_core.node.groups.CLOSE_SECONDS", 0.01)
    sources = ClosingSource(hangs=True), ClosingSource()
    node = Node("127.0.0.1:0", [Group(f"g{n}", source) for n, source in enumerate(sources)])
    await node.start()
    async with asyncio.timeout(5):
        await node.stop()
    assert [source.closings for source in sources] == [1, 1]


def test_the_default_address_is_the_tutorials() -> None:
    assert Node().address == "127.0.0.1:8080"


async def test_a_node_told_to_stop_while_it_starts_is_no_member_afterwards() -> None:
    registry = FakeRegistry()
    registry.gate.clear()
    node = Node("127.0.0.1:0", peers=registry)
    starting = asyncio.create_task(node.start())
    await registry.joining.wait()
    stopping = asyncio.create_task(node.stop())
    await settled()
    registry.gate.set()
    await asyncio.gather(starting, stopping)
    assert registry.members == set()
    with pytest.raises(PeerUnavailable):
        await node.get("g", "k")


async def test_a_stop_goes_on_when_its_caller_gives_up_and_the_next_waits_for_it(
    source: FakeSource,
) -> None:
    source.gate.clear()
    node = Node("127.0.0.1:0", [Group("scores", source)], grace=30)
    await node.start()
    async with Client(node.address, timeout=30) as client:
        running = asyncio.create_task(client.get("scores", "Tom"))
        await source.asked.wait()
        first = asyncio.create_task(node.stop())
        await settled()
        first.cancel()
        second = asyncio.create_task(node.stop())
        await settled()
        assert not second.done()
        source.gate.set()
        assert (await running).data == b"630"
        await second
    assert source.closed


async def test_what_a_member_held_before_it_was_stopped_is_not_held_when_it_starts_again(
    source: FakeSource,
) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)], peers=FakeRegistry(), drain=0)
    await node.start()
    await node.get("scores", "Tom")
    await node.stop()
    source.values["Tom"] = b"new"  # and its removal is heard of by nobody
    async with node:
        assert (await node.get("scores", "Tom")).data == b"new"


async def test_text_that_utf_8_cannot_carry_is_an_invalid_key(node: Node) -> None:
    for call in (node.get, node.remove):
        with pytest.raises(InvalidKey):
            await call("scores", "\ud800")


async def test_a_node_is_asked_in_process_for_what_is_held_or_what_is_new() -> None:
    source = FakeSource({"k": b"old"})
    async with Node("127.0.0.1:0", [Group("g", source, GroupSettings(client_reload=True))]) as node:
        with pytest.raises(NotCached):
            await node.get("g", "k", demand=Demand.CACHED)
        assert (await node.get("g", "k")).data == b"old"
        source.values["k"] = b"new"
        assert (await node.get("g", "k", demand=Demand.CACHED)).data == b"old"
        assert (await node.get("g", "k", demand=Demand.NEW)).data == b"new"
