"""The bytes that a row is, alone and as a document."""

import json
import uuid
from datetime import date, datetime, time
from decimal import Decimal

import pytest

from cache_core.errors import RetrieverFailed
from cache_core.sources.sql.rows import Column, ColumnKind, document, one

A_UUID = "00000000-0000-0000-0000-00000000000a"


def member(value: object, kind: ColumnKind = ColumnKind.PLAIN) -> str:
    """Return the text of the one member of a document."""
    data = document([Column("x", kind)], [value]).data.decode()
    json.loads(data, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert data.startswith('{"x":')
    return data[len('{"x":') : -1]


@pytest.mark.parametrize(
    ("value", "alone", "inside"),
    [
        (7, b"7", "7"),
        (1.5, b"1.5", "1.5"),
        (True, b"true", "true"),
        ("ä\n", "ä\n".encode(), '"ä\\n"'),
        (b"\x00\xff", b"\x00\xff", '"AP8="'),
        (bytearray(b"\x00\xff"), b"\x00\xff", '"AP8="'),
        (memoryview(b"\x00\xff"), b"\x00\xff", '"AP8="'),
        (Decimal("12.50"), b"12.50", '"12.50"'),
        (Decimal("1E-7"), b"0.0000001", '"0.0000001"'),
        (Decimal("1E+3"), b"1000", '"1000"'),
        (float("nan"), b"NaN", '"NaN"'),
        (float("-inf"), b"-Infinity", '"-Infinity"'),
        (date(2024, 1, 2), b"2024-01-02", '"2024-01-02"'),
        (datetime(2024, 1, 2, 3, 4, 5), b"2024-01-02T03:04:05", '"2024-01-02T03:04:05"'),  # noqa: DTZ001 - without a zone
        (time(3, 4), b"03:04:00", '"03:04:00"'),
        (uuid.UUID(A_UUID), A_UUID.encode(), f'"{A_UUID}"'),
        ([1, None, Decimal("1.0")], b'[1,null,"1.0"]', '[1,null,"1.0"]'),
        ({1: {"a": float("inf")}}, b'{"1":{"a":"Infinity"}}', '{"1":{"a":"Infinity"}}'),
        ((date(2024, 1, 2),), b'["2024-01-02"]', '["2024-01-02"]'),
    ],
)
def test_a_value_has_one_text_alone_and_one_in_a_document(
    value: object, alone: bytes, inside: str
) -> None:
    assert one(Column("x"), value) == alone
    assert member(value) == inside


def test_null_alone_is_no_such_key_and_a_member_in_a_document() -> None:
    assert one(Column("x"), None) is None
    assert member(None) == "null"


@pytest.mark.parametrize(("value", "text"), [(0, "false"), (1, "true"), (2, "2"), (None, "null")])
def test_a_boolean_column_has_truths_for_0_and_1(value: int | None, text: str) -> None:
    assert member(value, ColumnKind.BOOLEAN) == text
    if value is not None:
        assert one(Column("x", ColumnKind.BOOLEAN), value) == text.encode()


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('{"a": 1.50}', '{"a": 1.50}'),
        ("12345678901234567890.10", "12345678901234567890.10"),
        ('{"a": NaN}', json.dumps('{"a": NaN}')),
        ("no json", '"no json"'),
        ("[" * 100_000, json.dumps("[" * 100_000)),
    ],
)
def test_a_json_column_is_a_member_as_it_was_written_where_it_is_json(
    text: str, inside: str
) -> None:
    assert member(text, ColumnKind.JSON) == inside
    assert one(Column("x", ColumnKind.JSON), text) == text.encode()


def test_several_columns_are_members_in_their_order() -> None:
    found = document([Column("b"), Column("a")], [1, "x"])
    assert found.data == b'{"b":1,"a":"x"}'
    assert found.terms.content_type == "application/json"


def test_what_has_no_text_is_the_rows_own_error() -> None:
    with pytest.raises(RetrieverFailed, match="gives a object, which has no text; cast it"):
        one(Column("x"), object())
    with pytest.raises(RetrieverFailed, match="text that is no UTF-8"):
        member("\ud800")
