"""A batch read's parts, without sockets."""

import json

import pytest

from cache_core.errors import InvalidKey, NotFound
from cache_core.value import Value
from gateway.http.addressing import MalformedTarget
from gateway.http.batch import Room, keys_in, problem_item, value_item
from gateway.http.limits import Limits
from gateway.http.problems import Refused

LIMITS = Limits(batch_keys=3)
PATH = "/groups/g/keys"


def test_keys_keep_their_order_and_may_be_there_twice() -> None:
    assert keys_in({"keys": ["b", "a", "b"], "other": 1}, LIMITS) == ["b", "a", "b"]
    assert keys_in({"keys": []}, LIMITS) == []


@pytest.mark.parametrize(
    ("document", "reason", "words"),
    [
        (None, "malformed-body", "the body should be like"),
        ([], "malformed-body", "the body should be like"),
        ({}, "malformed-body", "the body should be like"),
        ({"keys": "Tom"}, "malformed-body", "the body should be like"),
        ({"keys": {"0": "Tom"}}, "malformed-body", "the body should be like"),
        ({"keys": ["Tom", 1]}, "malformed-body", r"keys\[1\] should be a string"),
        ({"keys": [None]}, "malformed-body", r"keys\[0\] should be a string"),
        ({"keys": list("abcd")}, "too-many-keys", "the batch has 4 keys, the limit is 3"),
    ],
)
def test_what_asks_for_no_keys_is_refused_with_where(
    document: object, reason: str, words: str
) -> None:
    with pytest.raises(Refused, match=words) as refused:
        keys_in(document, LIMITS)
    assert (refused.value.status, refused.value.reason) == (400, reason)


def test_an_items_problem_is_at_the_path_of_its_key() -> None:
    item = json.loads(problem_item(PATH, "a/ä b", NotFound.of("a/ä b")))
    assert item["key"] == "a/ä b"
    assert item["problem"]["instance"] == "/groups/g/keys/a/%C3%A4%20b"
    assert item["problem"]["reason"] == "key-not-found"


def test_a_key_that_utf_8_cannot_carry_comes_back_as_it_was_sent() -> None:
    item = json.loads(problem_item(PATH, "\ud800", InvalidKey()))
    assert item["key"] == "\ud800"
    assert item["problem"]["reason"] == "invalid-key"


def test_a_key_that_is_too_long_is_not_repeated_as_a_path() -> None:
    error = MalformedTarget("key-too-long", "it has 5000 bytes")
    item = json.loads(problem_item(PATH, "k" * 5000, error))
    assert item["key"] == "k" * 5000
    assert item["problem"]["instance"] == "/groups/g/keys/" + "k" * 64 + "…"


def test_a_value_that_does_not_have_the_encoding_is_its_items_problem() -> None:
    item = json.loads(value_item(PATH, "k", Value(b"\xff"), "utf-8"))
    assert (item["problem"]["status"], item["problem"]["reason"]) == (406, "not-acceptable")


def test_room_is_taken_and_given_back() -> None:
    room = Room(10)
    assert room.take(8)
    assert not room.take(3)
    assert room.take(2)
    assert room.take(-1)
    assert not room.take(2)
    assert room.take(1)
