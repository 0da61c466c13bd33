"""Messages put together from data that comes in any pieces."""

import gzip
import random
import zlib
from collections.abc import Callable
from itertools import accumulate, pairwise

import pytest
from grpc_ends import FakeTurns

from cache_core.rpc.grpc.messages import PREFIX, Messages, prefixed
from cache_core.rpc.grpc.status import StatusCode, StatusError

LIMIT = 1_000


def reading(encoding: bytes = b"identity", limit: int = LIMIT) -> Messages:
    return Messages(limit, encoding, "SERVER", FakeTurns())


def packed(data: bytes) -> bytes:
    """Return `data` as a compressed message travels."""
    return PREFIX.pack(1, len(data)) + data


def refusal(messages: Messages, data: bytes) -> tuple[StatusCode, str]:
    with pytest.raises(StatusError) as caught:
        messages.feed(data)
    return caught.value.code, str(caught.value)


def test_a_message_has_five_bytes_before_it() -> None:
    assert prefixed(b"630") == b"\0\0\0\0\x03630"
    assert prefixed(b"") == b"\0\0\0\0\0"


def test_messages_come_whole_wherever_the_data_is_split() -> None:
    sent = [b"", b"a", b"bc" * 40, b"", bytes(range(256))]
    data = b"".join(map(prefixed, sent))
    for at in range(len(data) + 1):
        messages = reading()
        assert messages.feed(data[:at]) + messages.feed(data[at:]) == sent
        assert messages.held == 0


def test_messages_come_whole_from_pieces_of_any_size() -> None:
    rng = random.Random(7)
    sent = [rng.randbytes(rng.choice((0, 1, 4, 5, 6, 900))) for _ in range(50)]
    data = b"".join(map(prefixed, sent))
    for largest in (1, 2, 7, 1_200):
        messages = reading()
        cuts = list(accumulate(rng.randint(0, largest) for _ in range(4 * len(data) // largest)))
        pieces = [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]
        assert [whole for piece in pieces for whole in messages.feed(piece)] == sent


def test_what_is_not_whole_is_counted_until_it_is() -> None:
    messages = reading()
    assert messages.feed(prefixed(b"a") + prefixed(b"630")[:7]) == [b"a"]
    assert messages.held == 7
    assert messages.feed(b"0") == [b"630"]
    assert messages.held == 0


def test_a_message_may_be_as_large_as_the_limit() -> None:
    assert reading().feed(prefixed(b"x" * LIMIT)) == [b"x" * LIMIT]


def test_a_message_over_the_limit_is_refused_by_its_prefix() -> None:
    words = f"SERVER: Received message larger than max ({LIMIT + 1} vs. {LIMIT})"
    expected = (StatusCode.RESOURCE_EXHAUSTED, words)
    assert refusal(reading(), PREFIX.pack(0, LIMIT + 1)) == expected
    messages = reading()
    messages.feed(PREFIX.pack(0, LIMIT + 1)[:4])
    assert refusal(messages, PREFIX.pack(0, LIMIT + 1)[4:]) == expected


def test_a_message_over_the_limit_is_refused_behind_a_whole_one() -> None:
    code, _ = refusal(reading(), prefixed(b"a") + PREFIX.pack(0, 0xFFFFFFFF))
    assert code is StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("encoding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)]
)
@pytest.mark.parametrize("message", [b"", b"630", b"x" * LIMIT])
def test_a_compressed_message_is_unpacked(
    encoding: bytes, pack: Callable[[bytes], bytes], message: bytes
) -> None:
    assert reading(encoding).feed(packed(pack(message)) + prefixed(b"plain")) == [message, b"plain"]


@pytest.mark.parametrize(("encoding", "bits"), [(b"gzip", 31), (b"deflate", 15)])
@pytest.mark.parametrize(("size", "limit"), [(LIMIT + 1, LIMIT), (1 << 24, 1 << 15)])
def test_a_message_that_unpacks_to_more_than_the_limit_is_refused(
    encoding: bytes, bits: int, size: int, limit: int
) -> None:
    pack = zlib.compressobj(9, wbits=bits)
    bomb = pack.compress(bytes(size)) + pack.flush()
    assert len(bomb) <= limit
    code, words = refusal(reading(encoding, limit), packed(bomb))
    assert code is StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in words


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
@pytest.mark.parametrize("damage", ["garbage", "cut", "longer", "twice", "nothing"])
def test_a_compressed_message_that_is_damaged_is_refused(encoding: bytes, damage: str) -> None:
    whole = (gzip.compress if encoding == b"gzip" else zlib.compress)(b"630" * 20)
    damaged = {
        "garbage": b"630",
        "cut": whole[:-1],
        "longer": whole + b"6",
        "twice": whole * 2,
        "nothing": b"",
    }[damage]
    code, _ = refusal(reading(encoding), packed(damaged))
    assert code is StatusCode.INTERNAL


@pytest.mark.parametrize("encoding", [b"identity", b"br"])
def test_a_compressed_message_of_a_call_that_names_no_encoding_is_refused(encoding: bytes) -> None:
    code, words = refusal(reading(encoding), packed(gzip.compress(b"630")))
    assert code is StatusCode.INTERNAL
    assert "no encoding" in words


@pytest.mark.parametrize("flag", [2, 0x80, 0xFF])
def test_a_first_byte_that_means_nothing_is_refused(flag: int) -> None:
    code, _ = refusal(reading(b"gzip"), PREFIX.pack(flag, 0))
    assert code is StatusCode.INTERNAL
