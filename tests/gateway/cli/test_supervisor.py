from gateway.cli.processes.supervisor import Backoff


def test_the_first_start_is_at_once_and_the_next_ever_later_up_to_half_a_minute() -> None:
    backoff = Backoff()
    assert [backoff.pause(served=0.5) for _ in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]


def test_one_that_served_for_a_minute_starts_at_once_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.pause(served=59.9)
    assert [backoff.pause(served=served) for served in (60, 0, 0)] == [0, 1, 2]
