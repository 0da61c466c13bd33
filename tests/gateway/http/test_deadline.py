import pytest

from gateway.http.deadline import timeout_of
from gateway.http.limits import Limits
from gateway.http.problems import Refused

LIMITS = Limits(timeout=2, max_timeout=30)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 2),
        ({"grpc-timeout": "500m"}, 0.5),
        ({"grpc-timeout": "1S"}, 1),
        ({"grpc-timeout": "250000u"}, 0.25),
        ({"grpc-timeout": "99999999n"}, 0.099999999),
        ({"grpc-timeout": "1M"}, 30),
        ({"grpc-timeout": "1H"}, 30),
        ({"x-request-timeout": "3"}, 3),
        ({"x-request-timeout": "0.25"}, 0.25),
        ({"x-request-timeout": "99999999"}, 30),
        ({"grpc-timeout": "3S", "x-request-timeout": "4"}, 3),
        ({"grpc-timeout": "3S", "x-request-timeout": "1"}, 1),
    ],
)
def test_a_request_has_what_it_asks_for_and_no_more_than_the_cap(
    fields: dict[str, str], seconds: float
) -> None:
    assert timeout_of(fields, LIMITS) == pytest.approx(seconds)


def test_a_request_that_asks_for_no_time_has_no_more_than_the_cap_either() -> None:
    assert timeout_of({}, Limits(timeout=50, max_timeout=30)) == 30


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"grpc-timeout": text}
            for text in ("", "1", "S", "1s", "1 S", "-1S", "1.5S", "123456789S", "0S", "1S, 2S")
        ),
        {"grpc-timeout": "\u0661S"},
        *(
            {"x-request-timeout": text}
            for text in ("", "-1", "+1", ".5", "1.", "1e3", "inf", "nan", "1s", "0", "0.0", "1, 2")
        ),
        {"x-request-timeout": "1\n"},
        {"grpc-timeout": "1S", "x-request-timeout": "soon"},
    ],
    ids=str,
)
def test_what_is_malformed_is_refused_even_beside_what_is_not(fields: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        timeout_of(fields, LIMITS)
    assert (caught.value.status, caught.value.reason) == (400, "malformed-timeout")
