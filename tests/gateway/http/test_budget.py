"""What all requests may hold together."""

import pytest

from gateway.http.budget import Budget
from gateway.http.problems import Refused


def test_past_the_limit_a_share_is_refused_and_takes_nothing() -> None:
    budget = Budget(10)
    first, second = budget.share(), budget.share()
    first.take(6)
    second.take(4)
    with pytest.raises(Refused) as caught:
        second.take(1)
    assert (caught.value.status, caught.value.reason) == (503, "gateway-busy")
    assert caught.value.headers["Retry-After"] == "1"
    first.take(-1)
    second.take(1)
    assert budget.held == 10
    first.end()
    assert budget.held == 5
    second.end()
    first.end()
    assert budget.held == 0
