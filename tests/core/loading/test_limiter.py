import asyncio

import pytest
from fakes import settled

from cache_core.loading.limiter import CapacityLimiter, Full


async def taken(limiter: CapacityLimiter) -> int:
    """Take all places that are free and return how many that were."""
    count = 0
    while limiter.is_free:
        assert await limiter.take("probe")
        count += 1
    return count


async def waiting(limiter: CapacityLimiter, *tickets: str) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(limiter.take(ticket)) for ticket in tickets]
    await settled()
    return tasks


async def test_there_are_as_many_places_as_it_was_given() -> None:
    limiter = CapacityLimiter(3, 0)
    assert await taken(limiter) == 3
    with pytest.raises(Full):
        await limiter.take("late")
    limiter.give_back()
    limiter.give_back()
    assert await taken(limiter) == 2


async def test_the_queue_is_as_long_as_it_was_given() -> None:
    limiter = CapacityLimiter(1, 2)
    await limiter.take("first")
    queued = await waiting(limiter, "a", "b")
    with pytest.raises(Full):
        await limiter.take("c")
    for task in queued:
        limiter.give_back()
        await settled()
        assert task.done()
        assert task.result()
    limiter.give_back()
    assert await taken(limiter) == 1


async def test_who_came_first_is_served_first() -> None:
    limiter = CapacityLimiter(1, 3)
    await limiter.take("first")
    queued = await waiting(limiter, "a", "b", "c")
    for served in range(1, 4):
        limiter.give_back()
        await settled()
        assert [task.done() for task in queued] == [number < served for number in range(3)]


async def test_who_gave_up_takes_no_room_in_the_queue() -> None:
    limiter = CapacityLimiter(1, 1)
    await limiter.take("first")
    for _ in range(3):
        (impatient,) = await waiting(limiter, "a")
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
    (patient,) = await waiting(limiter, "b")
    limiter.give_back()
    assert await patient


async def test_a_place_whose_next_owner_gives_up_goes_to_the_one_after() -> None:
    limiter = CapacityLimiter(1, 2)
    await limiter.take("first")
    leaver, other = await waiting(limiter, "a", "b")
    leaver.cancel()
    limiter.give_back()
    await settled()
    assert leaver.cancelled()
    assert other.done()
    assert other.result()
    limiter.give_back()
    assert await taken(limiter) == 1


async def test_a_place_is_not_lost_with_one_who_gives_up_as_his_turn_comes() -> None:
    limiter = CapacityLimiter(1, 2)
    await limiter.take("first")
    (leaver,) = await waiting(limiter, "a")
    limiter.give_back()
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    assert await taken(limiter) == 1


async def test_all_who_wait_with_a_ticket_that_is_hurried_go_on_without_a_place() -> None:
    limiter = CapacityLimiter(1, 3)
    await limiter.take("first")
    one, other, stays = await waiting(limiter, "a", "a", "b")
    limiter.hurry("a")
    await settled()
    assert [task.done() for task in (one, other, stays)] == [True, True, False]
    assert (one.result(), other.result()) == (False, False)
    limiter.give_back()
    assert await stays
    limiter.give_back()
    assert await taken(limiter) == 1


async def test_who_is_hurried_and_gives_up_leaves_no_place_behind() -> None:
    limiter = CapacityLimiter(1, 1)
    await limiter.take("first")
    (leaver,) = await waiting(limiter, "a")
    limiter.hurry("a")
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    assert not limiter.is_free
    limiter.give_back()
    assert await taken(limiter) == 1
