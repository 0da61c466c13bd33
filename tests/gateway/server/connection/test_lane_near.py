"""The fast lane with near copies at hand."""

from lane_server import get, lane_server, value
from raw_http import Connection

from cache_core.value import Value
from gateway.routes.off_loop import OFF_LOOP_BYTES


async def test_a_near_copy_is_answered_without_asking_until_it_is_dropped() -> None:
    async with lane_server(with_near=True) as serving, Connection(serving.url) as connection:
        copy = serving.near.put("Tom", Value(b"630", ttl=60.5, age=0.25))
        for _ in range(4):
            connection.send(get("Tom"))
            assert await value(connection) == "630"
        # The second request is remembered with its answer, for it came again.
        assert (serving.near.peeked, copy.touched) == (["Tom", "Tom"], 2)
        copy.dropped = True
        connection.send(get("Tom"))
        (await serving.cluster.asked.get()).then(Value(b"631"))
        assert await value(connection) == "631"
        assert serving.inner.asked.empty()


async def test_a_near_copys_answer_is_made_anew_when_a_second_or_the_date_changes() -> None:
    async with lane_server(with_near=True) as serving, Connection(serving.url) as connection:

        async def told() -> tuple[str, str]:
            connection.send(get("Tom"))
            reply = await connection.reply()
            assert reply is not None
            return reply.headers["age"], reply.headers["date"]

        serving.near.put("Tom", Value(b"630", ttl=60.5, age=0.25))
        for _ in range(2):
            assert await told() == ("0", "now")
        serving.near.put("Tom", Value(b"630", ttl=59.5, age=1.25))
        serving.clock.tick(0.49)
        assert await told() == ("0", "now")
        serving.clock.tick(0.01)
        assert await told() == ("1", "now")
        serving.state.default_headers = [(b"date", b"later")]
        assert await told() == ("1", "later")


async def test_a_large_near_copy_is_answered_as_well() -> None:
    async with lane_server(with_near=True) as serving, Connection(serving.url) as connection:
        serving.near.put("x", Value(b"x" * (OFF_LOOP_BYTES + 1)))
        for _ in range(2):
            connection.send(get("x", query="?alt=media"))
            reply = await connection.reply()
            assert reply is not None
            assert len(reply.body) == OFF_LOOP_BYTES + 1
        assert serving.near.peeked == ["x", "x"]


async def test_a_large_value_is_answered_as_it_is_by_now() -> None:
    async with lane_server(with_near=True) as serving, Connection(serving.url) as connection:
        for byte in (b"a", b"b", b"a"):
            serving.near.put("x", Value(byte * (OFF_LOOP_BYTES + 1)))
            for _ in range(3):  # made twice, then remembered
                connection.send(get("x", query="?alt=media"))
                reply = await connection.reply()
                assert reply is not None
                assert reply.body == byte * (OFF_LOOP_BYTES + 1)


async def test_the_last_answer_of_a_connection_is_none_of_another() -> None:
    async with lane_server(with_near=True) as serving, Connection(serving.url) as other:

        async def says_close() -> bool:
            other.send(get("Sam"))
            reply = await other.reply()
            assert reply is not None
            return "connection" in reply.headers

        serving.near.put("Sam", Value(b"567"))
        assert [await says_close() for _ in range(3)] == [False] * 3
        async with Connection(serving.url) as connection:
            connection.send(get("Tom") + get("Sam"))
            tom = await serving.cluster.asked.get()
            connection.writer.write_eof()
            for _ in range(3):  # by then, that is known
                assert not await says_close()
            tom.then(Value(b"630"))
            assert [reply.headers.get("connection") for reply in await connection.replies()] == [
                None,
                "close",
            ]
        assert not await says_close()
