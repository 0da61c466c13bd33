"""How a value lies in a store."""

from hypothesis import given
from hypothesis import strategies as st

from cache_core.valkey.tier_record import TOKEN_BYTES, Record, placeholder, read, value_part
from cache_core.value import Terms, Value

TOKEN = bytes(range(TOKEN_BYTES))
EPOCH = TOKEN[::-1]
TIME = b"1700000000.250000"
VALUE = Value(b"630", age=1.5, version='"e1"', terms=Terms(content_type="text/plain"))


def record_of(value: Value) -> bytes:
    return placeholder(TOKEN) + EPOCH + TIME + value_part(value)


@given(
    st.builds(
        Value,
        data=st.binary(),
        age=st.floats(0, 1e9),
        version=st.text(),
        terms=st.builds(Terms, content_type=st.text()),
    )
)
def test_what_is_put_is_read(value: Value) -> None:
    said = read(record_of(value))
    assert said is not None
    assert (said.token, said.epoch, said.put_at) == (TOKEN, EPOCH, 1700000000.25)
    assert said.value is not None
    terms = Terms(content_type=value.terms.content_type)
    assert said.value == Value(value.data, age=value.age, version=value.version, terms=terms)


def test_a_placeholder_has_a_token_and_no_value() -> None:
    assert read(placeholder(TOKEN)) == Record(TOKEN)


def test_a_record_cut_short_or_changed_has_no_value() -> None:
    whole = record_of(VALUE)
    head = len(placeholder(TOKEN))
    for end in range(head, len(whole)):
        assert read(whole[:end]) == Record(TOKEN)
    for place in range(head + TOKEN_BYTES + len(TIME), len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        assert read(changed) == Record(TOKEN)


@given(st.binary())
def test_what_is_no_record_is_none(data: bytes) -> None:
    assert data.startswith(b"gao1") or read(data) is None


def test_what_is_cut_short_within_its_token_is_no_record() -> None:
    whole = placeholder(TOKEN)
    assert {read(whole[:end]) for end in range(len(whole))} == {None}
