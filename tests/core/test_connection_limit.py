"""Where there is no room for another connection, the longest idle one goes."""

import asyncio

from virtual_time import after, in_virtual_time

from cache_core.connection_limit import (
    LOOK_SECONDS,
    REFUSED_AT_ONCE,
    SAY_SECONDS,
    Admission,
    ConnectionLimit,
)


class FakeConnection:
    """A connection among `all`, which is asked nothing since some time, or is asked something."""

    def __init__(self, others: "set[FakeConnection]", idle_since: float | None) -> None:
        self._others = others
        self.idle_since = idle_since
        others.add(self)

    def shutdown(self) -> None:
        self.idle_since = None
        self._others.discard(self)


async def test_the_longest_idle_connection_is_closed_for_a_new_one() -> None:
    limit, connections = ConnectionLimit(3, print), set[FakeConnection]()
    busy, old, older = (FakeConnection(connections, since) for since in (None, 2.0, 1.0))
    for gone in (older, old):
        newcomer = FakeConnection(connections, 3.0)
        assert limit.admit(newcomer, connections) is Admission.ADMITTED
        assert gone not in connections
    assert busy in connections
    assert len(connections) == 3


async def test_one_that_was_asked_something_meanwhile_stays() -> None:
    limit, connections = ConnectionLimit(3, print), set[FakeConnection]()
    first, second, third = (FakeConnection(connections, since) for since in (1.0, 2.0, 3.0))
    limit.admit(FakeConnection(connections, 4.0), connections)
    assert first not in connections
    second.idle_since = 5.0
    limit.admit(FakeConnection(connections, 6.0), connections)
    assert (second in connections, third in connections) == (True, False)


@in_virtual_time
async def test_where_none_is_idle_the_newcomer_is_refused_and_that_is_said_seldom() -> None:
    said = list[str]()
    limit, connections = ConnectionLimit(2, said.append), set[FakeConnection]()
    first, _ = FakeConnection(connections, None), FakeConnection(connections, None)
    await after(1)
    now = asyncio.get_running_loop().time
    for _ in range(REFUSED_AT_ONCE):
        newcomer = FakeConnection(connections, now())
        assert limit.admit(newcomer, connections) is Admission.REFUSED
        newcomer.idle_since = None
    assert limit.admit(FakeConnection(connections, None), connections) is Admission.DROPPED
    first.idle_since = now()
    await after(LOOK_SECONDS)
    assert limit.admit(FakeConnection(connections, now()), connections) is Admission.ADMITTED
    assert first not in connections
    (words,) = said
    assert "max_connections" in words
    await after(SAY_SECONDS)
    limit.admit(FakeConnection(connections, None), connections)
    assert len(said) == 2
