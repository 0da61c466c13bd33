"""A batch read's parts, without sockets."""

import json

import pytest

from cache_core.errors import InvalidKey, NotFound
from cache_core.value import Value
from gateway.http.addressing import MalformedTarget
from gateway.http.batch import Room, problem_item, value_item
from gateway.http.budget import Budget
from gateway.http.problems import Refused

PATH = "/groups/g/keys"


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
    room = Room(10, Budget(100).share())
    assert room.take(8)
    assert not room.take(3)
    assert room.take(2)
    assert room.take(-1)
    assert not room.take(2)
    assert room.take(1)


def test_room_that_is_taken_is_part_of_the_requests_share() -> None:
    budget = Budget(10)
    room = Room(100, budget.share())
    assert room.take(6)
    assert budget.held == 6
    with pytest.raises(Refused):
        room.take(5)
    assert room.take(-2)
    assert room.take(6)
    assert budget.held == 10
