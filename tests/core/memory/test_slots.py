import gc

from cache_core.memory.slots import Slots


def test_the_garbage_collector_need_not_look_through_the_entries() -> None:
    slots = Slots()
    slots.grow()
    assert not gc.is_tracked(slots.keys)
    assert not gc.is_tracked(slots.values)


def test_a_released_slot_holds_nothing_and_is_free_again() -> None:
    slots = Slots()
    slot = slots.grow()
    slots.keys[slot], slots.values[slot], slots.hits[slot] = "k", b"v", 3
    slots.release(slot)
    assert (slots.keys[slot], slots.values[slot], slots.hits[slot]) == ("", b"", 0)
    assert slots.free.pop() == slot
