"""What a peer may say, as Hypothesis makes it up: mostly legal, here and there not."""

from typing import Final

from http2.field_writer import ANSWER, CALL, END, Field, answer, block, field, request, trailers
from http2.frame_writer import (
    GREETING,
    HELLO,
    continuation,
    data,
    frame,
    goaway,
    headers,
    number,
    ping,
    priority,
    push_promise,
    rst_stream,
    settings,
    settings_ack,
    window_update,
)
from http2.twin import Order, Step
from hypothesis import strategies as st

STREAMS: Final = st.sampled_from([*[1] * 6, *[3] * 5, *[5] * 4, *[7] * 3, 9, 11, 0, 2, 101])

PECULIAR: Final[tuple[Field, ...]] = (
    (b"X", b"y"),
    (b"x y", b"z"),
    (b"x", b" y "),
    (b"x", b"\r\n"),
    (b"x", b"\xff"),
    (b"", b"y"),
    (b"te", b"trailers"),
    (b"te", b"gzip"),
    (b"connection", b"close"),
    (b"host", b"node"),
    (b"host", b"another"),
    (b":path", b""),
    (b":status", b"200"),
    (b":protocol", b"websocket"),
    (b":method", b"CONNECT"),
    (b":unknown", b""),
    (b"content-length", b"0"),
    (b"content-length", b"1"),
    (b"content-length", b"4"),
    (b"content-length", b"-1"),
    (b"content-length", b"x"),
    (b"grpc-timeout", b"1S"),
    (b"cookie", b"a=b"),
)

BROKEN: Final = (b"\x80", b"\xbe", b"\xff\xff\xff\xff\xff\x0f", b"\0\5x", b"\x3f\xe2\x1f", b"\x20")

_PECULIAR: Final = st.sampled_from(PECULIAR)
_FIRST: Final = st.sampled_from([0x00, 0x10, 0x40])


@st.composite
def blocks(draw: st.DrawFn, usual: tuple[Field, ...]) -> bytes:
    """Return a header block of the `usual` fields, of peculiar ones, or of neither."""
    fields = list(usual)
    change = draw(st.integers(0, 9))
    if change == 0:
        fields.insert(draw(st.integers(0, len(fields))), draw(_PECULIAR))
    elif change == 1:
        fields.append(draw(_PECULIAR))
        fields.append(draw(_PECULIAR))
    elif change == 2:
        fields.pop(draw(st.integers(0, len(fields) - 1)))
    elif change == 3:
        fields.append((b"long", b"x" * draw(st.integers(1, 2500))))
    said = block(fields)
    if change == 4:
        said += field(*draw(_PECULIAR), first=draw(_FIRST), packed=draw(st.booleans()))
    elif change == 5:
        said = draw(st.sampled_from(BROKEN)) + said
    elif change == 6:
        said += draw(st.sampled_from((*BROKEN, b"\xbe", b"\xbf", b"\x90")))
    elif change == 7:
        said = said[: draw(st.integers(0, len(said)))]
    return said


def of_header(usual: tuple[Field, ...]) -> st.SearchStrategy[bytes]:
    """Return frames of headers, whole and in parts."""
    said = blocks(usual)
    flags = st.booleans()
    whole = st.builds(
        lambda stream, said, end: headers(stream, said, end=end), STREAMS, said, flags
    )
    in_two = st.builds(
        lambda stream, said, end, at, other: (
            headers(stream, said[:at], end=end, whole=False)
            + continuation(stream if other else 1, said[at:])
        ),
        *(STREAMS, said, flags, st.integers(0, 60), st.booleans()),
    )
    depending = st.builds(
        lambda stream, said, on: headers(stream, said, depends_on=on), STREAMS, said, STREAMS
    )
    open_end = st.builds(lambda stream, said: headers(stream, said, whole=False), STREAMS, said)
    return st.one_of(whole, whole, whole, whole, in_two, depending, open_end)


def of_control() -> st.SearchStrategy[bytes]:
    """Return the frames that are no call's."""
    places = st.sampled_from([1, 2, 3, 4, 5, 6, 8, 99])
    values = st.sampled_from(
        [0, 1, 2, 100, 16_384, 16_383, 65_535, 1 << 24, (1 << 31) - 1, 1 << 31]
    )
    pairs = st.lists(st.tuples(places, values), max_size=3)
    growth = st.sampled_from([0, 1, 1, 9, 70_000, (1 << 31) - 70_001, (1 << 31) - 1])
    return st.one_of(
        st.builds(rst_stream, STREAMS, st.sampled_from([0, 1, 8, 13, 14, 99])),
        st.builds(window_update, STREAMS, growth),
        st.builds(priority, STREAMS, STREAMS),
        st.builds(settings, pairs),
        st.just(settings_ack()),
        st.builds(lambda ack: ping(ack=ack), st.booleans()),
        st.builds(goaway, STREAMS, st.sampled_from([0, 1, 99]), st.binary(max_size=3)),
        st.builds(lambda stream: continuation(stream, b""), STREAMS),
        st.builds(lambda stream: push_promise(stream, 2, request()), STREAMS),
    )


def of_data() -> st.SearchStrategy[bytes]:
    """Return data, also more than a window takes."""
    sizes = st.sampled_from([0, 1, 4, 4, 100, 16_384, 16_385])
    return st.builds(
        lambda stream, size, end, padding: data(stream, bytes(size), end=end, padding=padding),
        *(STREAMS, sizes, st.booleans(), st.sampled_from([None, None, None, 0, 5])),
    )


def of_anything() -> st.SearchStrategy[bytes]:
    """Return frames that nobody thought about."""
    payload = st.one_of(st.binary(max_size=12), st.just(number(0)), st.just(number(9)))
    return st.builds(frame, st.integers(0, 12), st.integers(0, 255), STREAMS, payload)


def steps(header: st.SearchStrategy[bytes], *orders: str) -> st.SearchStrategy[list[Step]]:
    """Return steps of which most are legal, with these headers and orders."""
    legal = st.one_of(header, header, of_data(), of_control())
    order = st.builds(Order, st.sampled_from(orders), STREAMS)
    return st.lists(st.one_of(legal, legal, legal, order, of_anything()), max_size=10)


OPENINGS: Final[tuple[list[Step], ...]] = (
    [HELLO],
    [HELLO, headers(1, request())],
    [HELLO, headers(1, request(), end=False)],
)
"""How a client may begin."""

_ASKED: Final[list[Step]] = [GREETING, Order("ask", 0), Order("ask", 0)]

ANSWERS: Final[tuple[list[Step], ...]] = (
    [GREETING],
    _ASKED,
    [*_ASKED, headers(1, answer(), end=False)],
    [*_ASKED, headers(1, answer(), end=False), headers(1, trailers())],
)
"""How a server may begin, and what it is asked."""


def _joined(opening: list[Step], more: list[Step]) -> list[Step]:
    return [*opening, *more]


TO_SERVERS: Final = st.builds(
    _joined, st.sampled_from(OPENINGS), steps(of_header(CALL), "answer", "answer", "reset")
)
"""What is said to a server, a frame a step."""

TO_CLIENTS: Final = st.builds(
    _joined,
    st.sampled_from(ANSWERS),
    steps(st.one_of(of_header(ANSWER), of_header(END)), "ask", "ask", "reset"),
)
"""What is said to a client."""
