"""Which text is a key of a column, and what is bound for it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import types
from sqlalchemy.dialects.postgresql import CITEXT, DOMAIN, INET
from sqlalchemy.types import TypeEngine

from cache_core.sources.sql.keys import Binding, binding_of, parser_of

A_UUID = "00000000-0000-0000-0000-00000000000a"
MOODS = types.Enum("glad", "sad", name="mood")


def binding(column: TypeEngine[Any], dialect: str = "postgresql") -> Binding:
    found = binding_of(column, dialect)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("column", "key", "bound"),
    [
        (types.Integer(), "0", 0),
        (types.Integer(), "-7", -7),
        (types.BigInteger(), f"{2**63 - 1}", 2**63 - 1),
        (types.BigInteger(), f"{-(2**63)}", -(2**63)),
        (types.Numeric(9, 2), "-1.50", Decimal("-1.50")),
        (types.Boolean(), "true", True),
        (types.Boolean(), "false", False),
        (types.Uuid(), A_UUID, UUID(A_UUID)),
        (types.Date(), "2024-01-02", date(2024, 1, 2)),
        (types.DateTime(), "2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - without a zone
        (
            types.DateTime(timezone=True),
            "2024-01-02T03:04:05+00:00",
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
        (MOODS, "glad", "glad"),
        (types.String(20), "Tom ", "Tom "),
        (types.CHAR(4), "ab", "ab"),
        (CITEXT(), "Tom", "Tom"),
        (DOMAIN("score", types.Integer()), "7", 7),
    ],
)
def test_a_key_is_bound_as_its_columns_type(
    column: TypeEngine[Any], key: str, bound: object
) -> None:
    assert binding(column).parse(key) == bound


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        (types.Integer(), ["", "01", "+1", "1.0", "1 ", "-0", "٣", "9" * 19, "9" * 30]),
        (types.BigInteger(), [f"{2**63}", f"{-(2**63) - 1}"]),
        (types.Numeric(9, 2), ["", "01", "1e5", ".5", "1.", "NaN", "1,5"]),
        (types.Boolean(), ["True", "1", "t", ""]),
        (types.Uuid(), [A_UUID.upper(), A_UUID.replace("-", ""), f"{{{A_UUID}}}", "x"]),
        (types.Date(), ["20240102", "2024-01-02T00:00:00", "2024-1-2", "x"]),
        (types.DateTime(), ["2024-01-02T03:04:05+00:00", "2024-01-02 03:04:05", "2024-01-02"]),
        (
            types.DateTime(timezone=True),
            ["2024-01-02T03:04:05", "2024-01-02T03:04:05Z", "2024-01-02"],
        ),
        (MOODS, ["Glad", "", "glad "]),
        (types.String(20), ["Tom\0"]),
        (types.CHAR(4), ["ab ", "a\0"]),
        (CITEXT(), ["Tom\0"]),
    ],
)
def test_another_text_is_no_key_and_is_not_sent(column: TypeEngine[Any], keys: list[str]) -> None:
    for key in keys:
        with pytest.raises(ValueError, match=r"."):
            binding(column).parse(key)


@pytest.mark.parametrize(
    ("column", "stored", "key"),
    [
        (types.CHAR(4), "ab  ", "ab"),
        (types.String(4), "ab  ", "ab  "),
        (types.Numeric(20, 10), Decimal("1E-7"), "0.0000001"),
        (types.Boolean(), True, "true"),
        (types.Uuid(), UUID(A_UUID), A_UUID),
        (
            types.DateTime(timezone=True),
            datetime(2024, 1, 2, tzinfo=UTC),
            "2024-01-02T00:00:00+00:00",
        ),
    ],
)
def test_a_row_has_one_key(column: TypeEngine[Any], stored: object, key: str) -> None:
    found = binding(column)
    assert found.holds(stored) == key
    found.parse(key)


@pytest.mark.parametrize(
    "column",
    [types.LargeBinary(), types.Float(), types.JSON(), types.ARRAY(types.Integer()), INET()],
)
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_some_columns_can_be_no_keys(column: TypeEngine[Any], dialect: str) -> None:
    assert binding_of(column, dialect) is None


def test_sqlite_is_given_the_text_itself_unless_the_column_has_no_type() -> None:
    assert binding(types.Integer(), "sqlite").parse("01") == "01"
    assert binding_of(types.NullType(), "sqlite") is None


def test_mysql_keeps_nul_and_names_of_enums_as_text() -> None:
    assert binding(types.String(20), "mysql").parse("a\0") == "a\0"
    assert isinstance(binding(MOODS, "mysql").type, types.String)
    assert not isinstance(binding(MOODS, "mysql").type, types.Enum)


@pytest.mark.parametrize(("type_", "bits"), [("int2", 16), ("int4", 32), ("int8", 64)])
def test_a_querys_parameter_takes_the_integers_of_its_size(type_: str, bits: int) -> None:
    parse = parser_of(type_)
    assert parse is not None
    most = 2 ** (bits - 1) - 1
    assert [parse(f"{most}"), parse(f"{-most - 1}")] == [most, -most - 1]
    for beyond in (most + 1, -most - 2):
        with pytest.raises(ValueError, match="out of range"):
            parse(f"{beyond}")


def test_a_querys_parameter_of_another_type_has_no_keys() -> None:
    assert parser_of("inet") is None
