from cache_core.client.retry_budget import RESERVE, RetryBudget


def test_the_calls_under_way_when_a_node_dies_may_be_retried() -> None:
    budget = RetryBudget()
    assert all(budget.withdraw() for _ in range(int(RESERVE)))
    assert not budget.withdraw()


def test_once_the_reserve_is_spent_a_fifth_of_the_calls_may_be_retried() -> None:
    budget = RetryBudget()
    while budget.withdraw():
        pass
    retried = 0
    for _ in range(1000):
        budget.deposit()
        retried += budget.withdraw()
    assert 190 <= retried <= 200


def test_no_more_retries_are_saved_up_than_the_reserve() -> None:
    budget = RetryBudget()
    for _ in range(10_000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(int(RESERVE) + 10)) == RESERVE
