import pytest

from cache_core.address import InvalidAddress
from cache_core.cluster.member import Member


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("10.0.0.1:8080", Member("10.0.0.1:8080", 1)),
        ("cache-0.cache:8080*2", Member("cache-0.cache:8080", 2)),
        ("[::1]:80*100", Member("[::1]:80", 100)),
    ],
)
def test_a_member_is_read_from_its_address_and_weight_and_written_as_it_was(
    text: str, member: Member
) -> None:
    assert Member.parse(text) == member
    assert str(member) == text


def test_a_weight_of_one_need_not_be_written() -> None:
    assert str(Member.parse("a:1*1")) == "a:1"


@pytest.mark.parametrize(
    "text", ["", "a", "a:1*", "a:1*0", "a:1*-1", "a:1*101", "a:1*01", "a:1*1.5", "a:1*2*3", "*2"]
)
def test_what_is_no_address_with_a_weight_of_1_to_100_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Member.parse(text)
