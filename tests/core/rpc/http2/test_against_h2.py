"""Our two ends of a connection, and those of the library `h2`, hear the same and judge the same."""

import pytest
from http2.differences import DIFFERENCES, NO_TABLE_SAID
from http2.scripts import TO_CLIENTS, TO_SERVERS
from http2.twin import Difference, Step, Verdicts, client_twin, first_fault, server_twin
from hypothesis import HealthCheck, given, settings

FEW = settings(
    derandomize=True,  # so that what every commit is judged by is the same everywhere
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MANY = settings(FEW, derandomize=False, max_examples=2_500)


def assert_known(verdicts: Verdicts) -> None:
    assert verdicts.agree or any(each.covers(verdicts) for each in DIFFERENCES), verdicts


@settings(FEW)
@given(TO_SERVERS)
def test_servers_judge_alike(steps: list[Step]) -> None:
    assert_known(first_fault(server_twin(), steps))


@settings(FEW)
@given(TO_CLIENTS)
def test_clients_judge_alike(steps: list[Step]) -> None:
    assert_known(first_fault(client_twin(), steps))


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(MANY)
@given(TO_SERVERS)
def test_servers_judge_alike_however_long_one_looks(steps: list[Step]) -> None:
    assert_known(first_fault(server_twin(), steps))


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(MANY)
@given(TO_CLIENTS)
def test_clients_judge_alike_however_long_one_looks(steps: list[Step]) -> None:
    assert_known(first_fault(client_twin(), steps))


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.name)
def test_a_difference_that_is_named_is_there(difference: Difference) -> None:
    twin = client_twin() if difference.is_client else server_twin()
    verdicts = first_fault(twin, difference.example)
    assert not verdicts.agree
    assert difference.covers(verdicts), verdicts


def test_a_peer_that_keeps_no_table_need_not_say_so() -> None:
    """RFC 7541, section 4.2, asks for an update of the size, of which .NET's client says nothing.

    No harm is done: a table of which nothing is used is as good as none.
    """
    assert first_fault(server_twin(), NO_TABLE_SAID) == Verdicts()
    ours, theirs = first_fault(server_twin(table=0), NO_TABLE_SAID)
    assert ours == ""
    assert theirs.endswith("Encoder did not shrink table size to within the max")
