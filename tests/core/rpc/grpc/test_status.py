"""The codes and words of a call's end."""

import random

import grpc
import pytest

from cache_core.rpc.grpc.status import (
    MAX_WORDS_BYTES,
    StatusCode,
    read_code,
    read_words,
    write_words,
)


def test_the_codes_are_those_of_grpc() -> None:
    theirs = {code.name: code.value[0] for code in grpc.StatusCode}
    assert {code.name: code.value for code in StatusCode} == theirs


@pytest.mark.parametrize("code", StatusCode)
def test_each_code_is_known(code: StatusCode) -> None:
    assert read_code(b"%d" % code) is code


@pytest.mark.parametrize("said", [b"", b"17", b"999999999", b"1" * 5_000, b"-1", b"OK", b"1 "])
def test_a_code_that_is_none_is_unknown(said: bytes) -> None:
    assert read_code(said) is StatusCode.UNKNOWN


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", b""),
        ("Tom not exist", b"Tom not exist"),
        ("100%", b"100%25"),
        ("%41", b"%2541"),
        ("Ä", b"%C3%84"),
        ("a\r\nb\0", b"a%0D%0Ab%00"),
        ("~\x7f", b"~%7F"),
        (" a b ", b"%20a b%20"),
        ("  ", b"%20%20"),
        ("\ud800", b"?"),
    ],
)
def test_words_travel_percent_encoded(words: str, said: bytes) -> None:
    assert write_words(words) == said


def test_all_words_come_back_as_they_were() -> None:
    rng = random.Random(7)
    alphabet = "aZ09 %~\0\t\n\r\x1f\x7f\x80äß€\U0001f600"
    for _ in range(500):
        words = "".join(rng.choices(alphabet, k=rng.randint(0, 12)))
        said = write_words(words)
        assert all(0x20 <= byte < 0x7F for byte in said)
        assert said == said.strip()
        assert read_words(said) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"%C3%84", "Ä"),
        (b"%c3%84", "Ä"),
        ("Ä".encode(), "Ä"),
        (b"100%", "100%"),
        (b"%4", "%4"),
        (b"%zz", "%zz"),
        (b"a+b", "a+b"),
        (b"%ff", "\ufffd"),
        (b"\xff", "\ufffd"),
    ],
)
def test_words_that_others_wrote_are_read_as_far_as_they_can_be(said: bytes, words: str) -> None:
    assert read_words(said) == words


@pytest.mark.parametrize("words", ["a" * 40_000, "é" * 40_000, "\n" * 40_000])
def test_words_that_are_too_long_are_cut_before_they_travel(words: str) -> None:
    written = write_words(words)
    assert len(written) <= 3 * (MAX_WORDS_BYTES + 3)
    assert read_words(written).endswith("…")
