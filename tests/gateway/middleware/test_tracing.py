import pytest
from starlette.types import Message, Receive, Scope, Send

from cache_core.trace import NO_TRACE, Trace, current_trace
from gateway.middleware.tracing import Tracing, trace_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "parent", [PARENT, f"00-{TRACE}-{SPAN}-ff", f"01-{TRACE}-{SPAN}-01", f"01-{TRACE}-{SPAN}-01-x"]
)
def test_a_valid_parent_is_the_trace(parent: str) -> None:
    assert trace_of({"traceparent": parent}) == Trace(parent)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-x",
        f"01-{TRACE}-{SPAN}-01x",
        f"{PARENT}, {PARENT}",
        f"{PARENT}\n",
    ],
)
def test_a_malformed_parent_is_none_and_takes_the_state_along(parent: str) -> None:
    assert trace_of({"traceparent": parent, "tracestate": "a=1"}) == NO_TRACE


def test_a_state_without_a_parent_is_none() -> None:
    assert trace_of({"tracestate": "a=1"}) == NO_TRACE


@pytest.mark.parametrize(
    "state",
    [
        "a=1",
        "a=1,b=2",
        "a=1 , b=2",
        "a=1,,b=2",
        "1t@vendor=x",
        ",".join(f"k{n}=v" for n in range(32)),
    ],
)
def test_a_valid_state_goes_along(state: str) -> None:
    assert trace_of({"traceparent": PARENT, "tracestate": state}) == Trace(PARENT, state)


@pytest.mark.parametrize(
    "state", ["a", "A=1", "a=", "a=1=2", "a=1,a=2", "a=é", ",".join(f"k{n}=v" for n in range(33))]
)
def test_a_malformed_state_is_dropped_and_the_parent_kept(state: str) -> None:
    assert trace_of({"traceparent": PARENT, "tracestate": state}) == Trace(PARENT)


async def test_a_request_runs_in_its_own_trace_or_in_none_and_leaves_none_behind() -> None:
    seen: list[Trace] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(current_trace.get())

    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    connections = Trace("what the connection began with")
    current_trace.set(connections)
    for headers in ([(b"traceparent", PARENT.encode())], []):
        await Tracing(app)({"type": "http", "headers": headers}, receive, send)
        assert current_trace.get() == connections
    assert seen == [Trace(PARENT), NO_TRACE]
