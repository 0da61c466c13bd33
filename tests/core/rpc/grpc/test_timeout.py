"""`grpc-timeout`, as it is read and written."""

import random
import re
from math import inf

import pytest

from cache_core.rpc.grpc.timeout import MOST, read_timeout, write_timeout

FORM = re.compile(rb"[0-9]{1,8}[HMSmun]")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"2H", 7_200),
        (b"3M", 180),
        (b"4S", 4),
        (b"5m", 0.005),
        (b"6u", 0.000_006),
        (b"7n", 0.000_000_007),
        (b"0S", 0),
        (b"00000001S", 1),
        (b"99999999S", 99_999_999),
        (b"99999999H", 359_999_996_400),
    ],
)
def test_each_unit_is_known(said: bytes, seconds: float) -> None:
    assert read_timeout(said) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"S", b"1", b"1s", b"1h", b"-1S", b"+1S", b"1.5S", b" 1S", b"1S ", b"1SS"),
        *(b"123456789S", b"1\xb2S", "\N{FULLWIDTH DIGIT ONE}S".encode(), b"1_0S", b"1S\n"),
    ],
)
def test_what_is_no_timeout_is_refused(said: bytes) -> None:
    with pytest.raises(ValueError, match="no timeout"):
        read_timeout(said)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, b"1u"),
        (0, b"1u"),
        (1e-9, b"1u"),
        (1, b"1000000u"),
        (1.000_000_1, b"1000001u"),
        (1_000, b"1000000m"),
        (200_000, b"200000S"),
        (MOST, b"99999999S"),
        (MOST + 1, None),
        (inf, None),
    ],
)
def test_a_time_is_rounded_up_to_what_its_unit_can_say(seconds: float, said: bytes | None) -> None:
    assert write_timeout(seconds) == said


@pytest.mark.parametrize("border", [100, 100_000, MOST + 1])
@pytest.mark.parametrize("less", [1e-12, 1e-10, 1e-7, 1e-4, 0.4])
def test_a_time_just_below_a_border_has_no_ninth_digit(border: float, less: float) -> None:
    seconds = border - border * less / 100
    assert seconds < border
    said = write_timeout(seconds)
    assert said is None or FORM.fullmatch(said)


def test_what_is_written_is_read_as_hardly_more() -> None:
    rng = random.Random(7)
    for _ in range(2_000):
        seconds = 10 ** rng.uniform(-6, 7.9)
        said = write_timeout(seconds)
        assert said is not None
        assert FORM.fullmatch(said)
        read = read_timeout(said)
        assert read is not None
        assert seconds * (1 - 1e-12) <= read <= max(seconds * 1.000_02, seconds + 1e-6)
