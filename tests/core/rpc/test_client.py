import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fakes import ALL_BYTES, SCORES, FakeSource

from cache_core import (
    Client,
    DeadlineExceeded,
    Group,
    InvalidKey,
    KeyRequired,
    Node,
    NotFound,
    PeerUnavailable,
    RetrieverFailed,
    SourceUnavailable,
    UnknownGroup,
)

pytestmark = pytest.mark.usefixtures("engine", "channel")


async def test_values_and_errors_are_those_of_a_get_in_process(node: Node, client: Client) -> None:
    for key, value in (*SCORES.items(), ("binary", ALL_BYTES), ("empty", b"")):
        assert (await client.get("scores", key)).data == value
    for group, key, kind, words in (
        ("scores", "NotExist", NotFound, "NotExist not exist"),
        ("scores", "", KeyRequired, "key required"),
        ("none", "Tom", UnknownGroup, "group not found"),
    ):
        with pytest.raises(kind) as caught:
            await client.get(group, key)
        assert str(caught.value) == words
        assert caught.value.node == node.address


async def fail(_key: str) -> bytes:
    raise ValueError("postgres://user:hunter2@host")


async def refuse(_key: str) -> bytes:
    raise ConnectionRefusedError("postgres://user:hunter2@host")


@pytest.mark.parametrize(
    ("retriever", "kind", "status", "words"),
    [
        (fail, RetrieverFailed, "INTERNAL", "the source of group g failed"),
        (refuse, SourceUnavailable, "UNAVAILABLE", "the source of group g is unavailable"),
    ],
)
async def test_a_failed_source_is_told_without_its_url(
    retriever: Callable[[str], Awaitable[bytes]], kind: type[Exception], status: str, words: str
) -> None:
    async with (
        Node("127.0.0.1:0", [Group("g", retriever)]) as node,
        Client(node.address) as client,
    ):
        with pytest.raises(RetrieverFailed) as caught:
            await client.get("g", "k")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert str(caught.value) == words


async def test_a_hundred_concurrent_gets_over_the_wire_look_up_once(
    client: Client, source: FakeSource
) -> None:
    source.gate.clear()
    gets = [asyncio.create_task(client.get("scores", "Tom")) for _ in range(100)]
    await source.asked.wait()
    gets[0].cancel()
    gets[57].cancel()
    source.gate.set()
    outcomes = await asyncio.gather(*gets, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 2
    assert [outcome.data for outcome in outcomes if not isinstance(outcome, BaseException)] == [
        b"630"
    ] * 98
    assert source.lookups == ["Tom"]


async def test_a_call_ends_at_its_deadline_and_its_lookup_with_it(
    client: Client, source: FakeSource
) -> None:
    source.gate.clear()
    with pytest.raises(DeadlineExceeded, match="did not answer within the deadline"):
        await client.get("scores", "Tom", timeout=0.2)
    await source.left.wait()
    assert source.cancelled == ["Tom"]


async def test_a_node_that_is_not_there_is_unavailable_and_found_when_it_comes(
    source: FakeSource,
) -> None:
    async with Node("127.0.0.1:0", [Group("scores", source)]) as gone:
        address = gone.address
    async with Client(address, timeout=10) as client:
        with pytest.raises(PeerUnavailable, match=f"node {address} can't be reached"):
            await client.get("scores", "Tom")
        async with Node(address, [Group("scores", source)]):
            for _ in range(100):
                try:
                    value = await client.get("scores", "Tom")
                    break
                except PeerUnavailable:
                    await asyncio.sleep(0.05)
            assert value.data == b"630"


async def test_a_closed_client_opens_a_new_connection_when_asked_again(
    client: Client,
) -> None:
    await client.get("scores", "Tom")
    await client.aclose()
    assert (await client.get("scores", "Tom")).data == b"630"


async def test_a_call_whose_client_is_closed_is_unavailable(
    client: Client, node: Node, source: FakeSource
) -> None:
    source.gate.clear()
    running = asyncio.create_task(client.get("scores", "Tom"))
    await source.asked.wait()
    await client.aclose()
    with pytest.raises(PeerUnavailable, match="the connection to node") as caught:
        await running
    assert caught.value.node == node.address


@pytest.mark.parametrize(("group", "key"), [("scores", "\ud800"), ("\udcff", "Tom")])
async def test_text_that_utf_8_cannot_carry_is_refused_before_the_call(
    client: Client, group: str, key: str
) -> None:
    with pytest.raises(InvalidKey, match="the group and key should be UTF-8 text"):
        await client.get(group, key)


@pytest.mark.parametrize("timeout", [float("inf"), 1e300])
async def test_an_endless_timeout_is_no_deadline(node: Node, timeout: float) -> None:
    async with Client(node.address, timeout=timeout) as client:
        assert (await client.get("scores", "Tom")).data == b"630"
        assert (await client.get("scores", "Jack", timeout=timeout)).data == b"589"


@pytest.mark.parametrize("timeout", [float("nan"), -1.0])
async def test_what_is_no_length_of_time_is_refused(client: Client, timeout: float) -> None:
    with pytest.raises(ValueError, match="a timeout should be 0 seconds or more"):
        await client.get("scores", "Tom", timeout=timeout)
    with pytest.raises(ValueError, match="a timeout should be 0 seconds or more"):
        Client(timeout=timeout)


@pytest.mark.parametrize("words", ["w" * 100_000, "é\0" * 50_000, "\U0001f600" * 9_000, "\ud800"])
async def test_a_retrievers_words_of_any_length_and_kind_arrive(words: str) -> None:
    async def fail_at_length(_key: str) -> bytes:
        raise SourceUnavailable(words)

    async with (
        Node("127.0.0.1:0", [Group("g", fail_at_length)]) as node,
        Client(node.address, timeout=10) as client,
    ):
        with pytest.raises(SourceUnavailable) as caught:
            await client.get("g", "k")
    said = str(caught.value)
    assert said == "?" or (words.startswith(said[:-1]) and said.endswith("…"))
