"""What a node of a cluster makes of gets that demand what is held, or what is new."""

import asyncio

import pytest
from fakes import settled
from trio_in_process import Make, get, key_of

from cache_core.errors import NotCached, NotFound, RetrieverFailed
from cache_core.value import Answer, Demand


async def test_what_the_owner_holds_is_answered_and_nothing_else(make: Make) -> None:
    cluster = await make()
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    key = key_of("b:1", cluster.nodes)
    with pytest.raises(NotCached):
        await get(a, key, demand=Demand.CACHED)
    assert [node for node, *_ in cluster.wires.asked] == ["b:1"]
    await get(b, key)
    assert (await get(a, key, demand=Demand.CACHED)).answer is Answer.HIT
    assert cluster.source.lookups == [key]


async def test_what_is_held_is_asked_of_the_next_only_where_the_owner_is_gone(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    for node in cluster.nodes.values():
        await get(node, key, forwarded=True)
    cluster.wires.cut.add("b:1")
    value = await get(cluster.nodes["a:1"], key, demand=Demand.CACHED)
    assert value.answer is Answer.HIT


async def test_who_wants_what_is_held_does_not_wait_for_anothers_fetch(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.source.gate.clear()
    loading = asyncio.create_task(get(cluster.nodes["a:1"], key))
    await cluster.source.asked.wait()
    with pytest.raises(NotCached):
        await get(cluster.nodes["a:1"], key, demand=Demand.CACHED)
    cluster.source.gate.set()
    await loading


async def test_a_copy_is_passed_over_and_replaced_by_what_is_new(make: Make) -> None:
    cluster = await make(client_reload=True)
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    for _ in range(4):
        await get(a, key)
    cluster.source.values[key] = b"new"
    copied = a.peek("g", key)
    assert copied is not None
    assert copied.data == key.encode()
    values = await asyncio.gather(*(get(a, key, demand=Demand.NEW) for _ in range(20)))
    assert {(value.data, value.answer) for value in values} == {(b"new", Answer.RELOAD)}
    assert cluster.source.lookups == [key, key]
    replaced = a.peek("g", key)
    assert replaced is not None
    assert (replaced.data, replaced.answer) == (b"new", Answer.HIT)


async def test_where_clients_may_not_reload_a_copy_is_answered(make: Make) -> None:
    cluster = await make()
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    for _ in range(4):
        await get(a, key)
    assert (await get(a, key, demand=Demand.NEW)).answer is Answer.HIT
    assert cluster.source.lookups == [key]


async def test_an_older_answer_on_its_way_does_not_replace_what_is_new(make: Make) -> None:
    cluster = await make(client_reload=True)
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    for _ in range(2):
        await get(a, key)  # the third get makes it popular
    late = asyncio.Event()
    cluster.wires.late.append(late)
    older = asyncio.create_task(get(a, key))
    await settled()
    cluster.source.values[key] = b"new"
    assert (await get(a, key, demand=Demand.NEW)).data == b"new"
    late.set()
    assert (await older).data == key.encode()
    copied = a.peek("g", key)
    assert copied is not None
    assert copied.data == b"new"


async def test_a_reload_that_fails_fails_nobody_else(make: Make) -> None:
    cluster = await make(client_reload=True)
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    await get(a, key)
    cluster.source.error = RetrieverFailed("the source of group g failed")
    new, held = await asyncio.gather(
        get(a, key, demand=Demand.NEW), get(a, key), return_exceptions=True
    )
    assert isinstance(new, RetrieverFailed)
    assert not isinstance(held, BaseException)
    assert held.answer is Answer.HIT


async def test_a_copy_goes_when_its_key_is_found_to_be_gone(make: Make) -> None:
    cluster = await make(client_reload=True)
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    for _ in range(4):
        await get(a, key)
    cluster.source.values.clear()
    with pytest.raises(NotFound):
        await get(a, key, demand=Demand.NEW)
    with pytest.raises(NotFound):
        await get(a, key)


async def test_a_removal_ends_the_reloads_that_run(make: Make) -> None:
    cluster = await make(client_reload=True)
    a = cluster.nodes["a:1"]
    key = key_of("b:1", cluster.nodes)
    for _ in range(4):
        await get(a, key)
    cluster.source.asked.clear()
    cluster.source.gate.clear()
    loading = asyncio.create_task(get(a, key, demand=Demand.NEW))
    await cluster.source.asked.wait()
    a.groups["g"].remove(key)
    cluster.source.gate.set()
    await loading
    assert a.peek("g", key) is None


async def test_another_node_tells_how_long_a_missing_key_is_remembered(make: Make) -> None:
    cluster = await make(negative_ttl=60)
    key = key_of("b:1", cluster.nodes)
    cluster.source.values.clear()
    with pytest.raises(NotFound) as raised:
        await get(cluster.nodes["a:1"], key)
    assert raised.value.ttl is not None
    assert 0 < raised.value.ttl <= 60
