"""Keys that one call can't carry: they go in several calls, and come back as if it were one."""

import pytest
from fake_participant import FakeParticipant, ask, channel_to, connected, hit, outcomes, serving
from task_peer import got

from cache_core import PeerUnavailable, Value
from cache_core.rpc.wire.batch import chunks, write_batch
from cache_core.rpc.wire.limits import MAX_BATCH_ITEMS, MAX_MESSAGE_BYTES

pytestmark = pytest.mark.usefixtures("engine", "channel")

MIB = 1024 * 1024


async def test_more_than_a_batch_holds_and_two_kinds_go_in_several_calls() -> None:
    held = {str(n): Value(str(n).encode()) for n in range(MAX_BATCH_ITEMS + 2)}
    participant = FakeParticipant(held)
    async with connected(participant) as channel:
        found = await outcomes(channel, [ask(key, forwarded=key == "7") for key in held])
    assert [one.data for one in found if isinstance(one, Value)] == [key.encode() for key in held]
    assert [key for key, forwarded, _ in participant.asked if forwarded] == ["7"]
    assert len(participant.rings) == 3


async def test_keys_too_long_for_one_message_go_in_several() -> None:
    keys = [str(n) * MIB for n in range(6)]
    participant = FakeParticipant(dict.fromkeys(keys, hit()))
    async with connected(participant) as channel:
        found = await outcomes(channel, [ask(key) for key in keys])
    assert all(isinstance(one, Value) for one in found)
    assert len(participant.rings) == 2


async def test_several_calls_that_fail_fail_all_their_keys() -> None:
    async with serving(FakeParticipant()) as gone:
        pass
    async with channel_to(gone) as channel:
        asks = [ask("a"), ask("b"), ask("c", forwarded=True)]
        await got(channel, asks, ring=0, timeout=30)
        for one in asks:
            with pytest.raises(PeerUnavailable, match=f"node {gone} can't be reached"):
                await one.outcome


async def test_a_batch_of_keys_that_are_not_ascii_is_below_the_limit() -> None:
    keys = ["é" * 4_000 + str(n) for n in range(MAX_BATCH_ITEMS)]
    parts = [write_batch(part, 0) for part in chunks([ask(key) for key in keys])]
    assert [key for part in parts for key in part.keys] == keys
    assert max(part.ByteSize() for part in parts) <= MAX_MESSAGE_BYTES
