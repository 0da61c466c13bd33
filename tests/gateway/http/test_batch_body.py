"""The keys in a batch's body: all that JSON allows is read, and nothing behind the first fault."""

import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.batch_body import MOST_BESIDE, keys_in
from gateway.http.limits import Limits
from gateway.http.problems import Refused

LIMITS = Limits(batch_keys=3)


def test_keys_keep_their_order_and_may_be_there_twice() -> None:
    assert keys_in('{"keys": ["b", "a", "b"], "other": 1}', LIMITS) == ["b", "a", "b"]
    assert keys_in('{"keys": []}', LIMITS) == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    keys=st.lists(st.text(), max_size=3),
    before=st.dictionaries(st.text(), anything, max_size=3),
    behind=st.dictionaries(st.text().filter(lambda name: name != "keys"), anything, max_size=3),
    indent=st.sampled_from([None, 0, 3]),
    ascii_only=st.booleans(),
)
def test_what_json_reads_is_read(
    keys: list[str],
    before: dict[str, object],
    behind: dict[str, object],
    indent: int | None,
    ascii_only: bool,
) -> None:
    document = {**before, "keys": keys, **behind}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    assert keys_in(f" {text}\n", LIMITS) == keys
    twice = text[:-1] + ',"keys":["last"]}'
    assert keys_in(twice, LIMITS) == json.loads(twice)["keys"]


@given(st.text(alphabet='{}[],:" \\kes1n'))
def test_what_json_does_not_read_is_refused(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    is_right = isinstance(document, dict) and isinstance(document.get("keys"), list)
    if is_right and all(isinstance(key, str) for key in document["keys"]):
        return
    with pytest.raises(Refused) as refused:
        keys_in(text, LIMITS)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the body should be like"),
        ("null", "the body should be like"),
        ("[]", "the body should be like"),
        ("{}", "the body should be like"),
        ('{"other":[]}', "the body should be like"),
        ('{"keys":"Tom"}', "the body should be like"),
        ('{"keys":{"0":"Tom"}}', "the body should be like"),
        ('{"keys":["Tom",1]}', r"keys\[1\] should be a string"),
        ('{"keys":[null]}', r"keys\[0\] should be a string"),
        ('{"keys":["Tom"', "line 1, column 15 of the body: , or ] is missing"),
        ('{"keys":["Tom",]}', "line 1, column 16 of the body: a string is missing"),
        ('{"keys":["Tom"]', "line 1, column 16 of the body: , or } is missing"),
        ('{"keys":["Tom"]} x', "line 1, column 18 of the body: something comes behind"),
        ('{\n"keys":["To\nm"]}', "line 2, column 12 of the body: Invalid control character"),
        ('{"keys" ["Tom"]}', "line 1, column 9 of the body: : is missing"),
        ("{keys:[]}", "line 1, column 2 of the body: a name in quotes is missing"),
        ('{"other":' + "[" * 50_000, "no JSON that can be read"),
        ('{"other":' + "1" * 5_000 + "}", "no JSON that can be read"),
    ],
)
def test_what_asks_for_no_keys_is_refused_with_where(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        keys_in(text, LIMITS)
    assert (refused.value.status, refused.value.reason) == (400, "malformed-body")


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(Refused, match="more than 3 keys") as refused:
        keys_in('{"keys":["a","b","c","d"', LIMITS)
    assert refused.value.reason == "too-many-keys"


def test_a_large_body_has_its_keys_alone() -> None:
    space = " " * MOST_BESIDE
    assert keys_in('{"keys":["a"]}' + space, LIMITS) == ["a"]
    with pytest.raises(Refused, match="should have its `keys` alone"):
        keys_in('{"keys":["a"],"other":1}' + space, LIMITS)


@pytest.mark.parametrize("element", ["[]", "{}", '""', "1", "null", '"\\u00e4"'], ids=str)
def test_four_megabytes_of_anything_are_refused_at_once(element: str) -> None:
    text = '{"keys":[' + ",".join([element] * (4_000_000 // (len(element) + 1))) + "]}"
    began = perf_counter()
    with pytest.raises(Refused):
        keys_in(text, Limits())
    assert perf_counter() - began < 0.2  # the whole document takes 200 ms; this one, 2
