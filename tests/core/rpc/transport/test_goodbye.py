"""How a connection ends by agreement: the goodbyes, what crosses them, the last answer."""

from http2.frame_writer import read_frames
from joined import Lines, lines
from virtual_time import after, in_virtual_time

from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.codes import GOAWAY
from cache_core.rpc.transport.wire import PONG_SECONDS
from cache_core.rpc.wire.limits import QUIET_SECONDS


@in_virtual_time
async def test_a_resting_client_leaves_as_soon_as_it_has_heard_a_goodbye() -> None:
    async with lines() as joined:
        joined.server.say_goodbye()
        await after(0)
        assert joined.at_client.is_over
        assert joined.at_server.is_over


@in_virtual_time
async def test_a_connection_closes_with_the_last_answer_after_a_goodbye() -> None:
    async with lines() as joined:
        callers = [joined.get("slow")[1] for _ in range(2)]
        await after(0)
        joined.server.say_goodbye()
        await after(1)
        assert not joined.at_server.is_over
        joined.participant.gates["slow"].set()
        await after(0)
        assert [caller.end.code for caller in callers] == [StatusCode.OK] * 2
        assert joined.at_server.is_over


@in_virtual_time
async def test_a_node_closes_the_connection_itself_with_the_last_answer() -> None:
    async with lines() as joined:
        joined.get("slow")
        await after(0)
        joined.server.say_goodbye()
        await after(0)
        joined.at_client.freeze()
        joined.participant.gates["slow"].set()
        await after(0)
        assert joined.at_server.is_closing()


@in_virtual_time
async def test_a_call_that_crosses_the_first_goodbye_is_answered() -> None:
    async with lines() as joined:
        joined.server.say_goodbye()
        _, caller = joined.get("held")
        await after(0)
        assert caller.end.code is StatusCode.OK


@in_virtual_time
async def test_a_call_that_crosses_the_last_goodbye_is_not_begun_and_may_be_made_elsewhere() -> (
    None
):
    async with lines() as joined:
        joined.get("slow")
        await after(0)
        joined.server.end()
        _, caller = joined.get("held")
        joined.client.flush()
        await after(0)
        assert caller.end.was_refused
        assert [key for key, _, _ in joined.participant.asked] == ["slow", "slow"]


@in_virtual_time
async def test_a_client_hears_no_more_than_two_goodbyes() -> None:
    async with lines() as joined:
        joined.get("slow")
        await after(0)
        joined.server.say_goodbye()
        await after(0)
        joined.server.end()
        await after(0)
        said = read_frames(joined.at_server.sent)
        assert [frame.kind for frame in said].count(GOAWAY) == 2


@in_virtual_time
async def test_a_client_that_answers_pings_may_go_on_calling() -> None:
    async with lines() as joined:
        await after(2 * QUIET_SECONDS + PONG_SECONDS)
        said = read_frames(joined.at_server.sent)
        assert GOAWAY not in {frame.kind for frame in said}
        _, caller = joined.get("held")
        await after(0)
        assert caller.end.code is StatusCode.OK


@in_virtual_time
async def test_a_client_whose_handshake_ends_after_the_last_call_is_not_taken() -> None:
    joined = Lines()
    joined.node.is_ending = True
    joined.at_client.join(joined.at_server)
    _, caller = joined.get("held")
    await after(0)
    assert joined.at_server.is_over
    assert caller.end.code is StatusCode.UNAVAILABLE
    assert joined.participant.asked == []
    assert joined.open == set()
