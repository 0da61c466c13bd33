"""Three nodes as processes, and what befalls them."""

import asyncio
import random
import signal

import pytest
from cluster.fleet import MakeFleet, free_addresses
from cluster.traffic import traffic

from cache_core import Client, Value
from cache_core.messages import NodeInfo

pytestmark = pytest.mark.slow
KEYS = 300


async def warm(client: Client, keys: int) -> None:
    """Let every key be loaded."""
    outcomes = await client.get_many("g", map(str, range(keys)), timeout=30)
    assert {value.data for value in outcomes.values()} == {  # type: ignore[union-attr]
        f"v{key}".encode() for key in range(keys)
    }


async def owned(client: Client, node: str, keys: int) -> set[str]:
    """Return the keys that `node` answers for."""
    outcomes = await client.get_many("g", map(str, range(keys)), timeout=30)
    return {key for key, value in outcomes.items() if value.node == node}


async def test_ten_thousand_keys_are_looked_up_once_whoever_is_asked(
    make_fleet: MakeFleet,
) -> None:
    keys = 10_000
    addresses = free_addresses(3)
    fleet = make_fleet(keys)
    peers = f"static://{','.join(addresses)}"
    await fleet.start_all(addresses, peers, "--log-level", "warning")

    async def ask_all(client: Client, seed: int) -> None:
        order = list(map(str, range(keys)))
        random.Random(seed).shuffle(order)
        for first in range(0, keys, 500):
            outcomes = await client.get_many("g", order[first : first + 500], timeout=60)
            for key, value in outcomes.items():
                assert isinstance(value, Value)
                assert value.data == f"v{key}".encode()

    async with (
        Client(addresses[0]) as one,
        Client(addresses[1]) as two,
        Client(addresses[2]) as three,
        Client(peers) as all_three,
    ):
        clients = (one, two, three, all_three)
        await asyncio.gather(*(ask_all(client, seed) for seed, client in enumerate(clients)))
        infos = await all_three.describe(timeout=5)
    nodes = [info for info in infos.values() if isinstance(info, NodeInfo)]
    assert len(nodes) == 3
    assert sum(info.groups["g"].stats.loads for info in nodes) == keys


@pytest.mark.parametrize("victim", [0, 1, 2])
async def test_a_killed_node_fails_no_call_and_its_keys_are_loaded_once(
    make_fleet: MakeFleet, victim: int
) -> None:
    addresses = free_addresses(3)
    peers = f"static://{','.join(addresses)}"
    fleet = make_fleet(KEYS)
    await fleet.start_all(addresses, peers)
    async with Client(peers) as client, Client(addresses[victim - 1]) as by_another:
        await warm(client, KEYS)
        lost = await owned(client, addresses[victim], KEYS)
        before = fleet.lookups()
        async with traffic(client, KEYS) as direct, traffic(by_another, KEYS) as forwarded:
            await direct.more(300)
            assert await fleet.end(addresses[victim], signal.SIGKILL) == -signal.SIGKILL
            await direct.more(2000)
            await forwarded.more(2000)
        assert direct.failed == forwarded.failed == []
        await warm(client, KEYS)
        assert fleet.lookups() - before == dict.fromkeys(lost, 1)


async def test_a_stopped_node_holds_no_call_up_past_its_deadline(make_fleet: MakeFleet) -> None:
    addresses = free_addresses(3)
    peers = f"static://{','.join(addresses)}"
    fleet = make_fleet(KEYS)
    await fleet.start_all(addresses, peers)
    async with Client(peers) as client, Client(addresses[0]) as by_another:
        await warm(client, KEYS)
        async with (
            traffic(client, KEYS, timeout=1) as direct,
            traffic(by_another, KEYS, timeout=1) as forwarded,
        ):
            await direct.more(300)
            fleet.signal(addresses[1], signal.SIGSTOP)
            await direct.more(3000)
            await forwarded.more(3000)
            fleet.signal(addresses[1], signal.SIGCONT)
            await direct.more(1000)
        assert direct.slowest < 1.5
        assert forwarded.slowest < 1.5
        for words in (
            direct.failed + forwarded.failed
        ):  # a call's time may end as the node is left out
            assert "DeadlineExceeded" in words or "is left out" in words


async def test_a_rolling_restart_fails_no_call_and_costs_few_loads(
    make_fleet: MakeFleet,
) -> None:
    addresses = free_addresses(3)
    peers = f"static://{','.join(addresses)}"
    fleet = make_fleet(KEYS)
    await fleet.start_all(addresses, peers)
    async with Client(peers) as client, Client(peers) as other:
        await warm(client, KEYS)
        before = fleet.lookups().total()
        async with traffic(client, KEYS) as one, traffic(other, KEYS) as two:
            for address in addresses:
                await one.more(200)
                assert await fleet.end(address) == 0
                await one.more(200)
                await fleet.start(address, peers)
            await one.more(500)
            await two.more(500)
        assert one.failed == two.failed == []
        assert fleet.lookups().total() - before <= KEYS // 10


async def infos(client: Client) -> list[NodeInfo]:
    answers = (await client.describe(timeout=5)).values()
    return [info for info in answers if isinstance(info, NodeInfo)]


async def test_nodes_that_disagree_on_the_ring_answer_all_the_same(make_fleet: MakeFleet) -> None:
    one, two, three = free_addresses(3)
    fleet = make_fleet(KEYS)
    await asyncio.gather(
        fleet.start(one, f"static://{one},{two}"),
        fleet.start(two, f"static://{two},{three}"),
        fleet.start(three, f"static://{three}*3,{one}"),
    )
    for address in (one, two, three):
        async with Client(address) as client:
            await asyncio.wait_for(warm(client, KEYS), 20)
    assert max(fleet.lookups().values()) <= 3
    async with Client(f"static://{one},{two},{three}") as client:
        async with asyncio.timeout(20):  # a probe every second tells, where no call did
            while not all(info.ring_mismatches for info in await infos(client)):
                pass
