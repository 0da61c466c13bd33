"""What a node makes of figures that no node of this version writes."""

from math import inf, nan

import pytest
from fake_participant import ask

from cache_core import Answer, GroupSettings, UnexpectedStatus, Value
from cache_core.messages import Health
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.wire.batch import settle
from cache_core.rpc.wire.figures import read_node
from cache_core.rpc.wire.metadata import read_answer
from cache_core.rpc.wire.values import length, read_value

ODD = (inf, -inf, nan)


@pytest.mark.parametrize("ttl", ODD)
async def test_a_ttl_that_is_no_time_is_none(ttl: float) -> None:
    assert read_value(pb.Value(data=b"v", ttl=ttl)).ttl is None
    one = ask("k")
    settle(response(ttl=ttl, age=1), [one], node="n:1")
    assert (await one.outcome).ttl is None


@pytest.mark.parametrize("age", [-1.0, *ODD])
async def test_an_age_that_is_no_length_of_time_is_zero(age: float) -> None:
    assert read_value(pb.Value(data=b"v", age=age)).age == 0
    one = ask("k")
    settle(response(ttl=1, age=age), [one], node="n:1")
    assert await one.outcome == Value(b"v", 1, 0, Answer.HIT, "n:1")


def test_the_figures_of_a_plain_answer_are_read_as_those_of_a_batch() -> None:
    endless = "9" * 400
    assert read_answer("hit; ttl=5; age=-7", b"v", node="n:1") == Value(
        b"v", 5, 0, Answer.HIT, "n:1"
    )
    found = read_answer(f"hit; ttl={endless}; age={endless}", b"v", node="n:1")
    assert (found.ttl, found.age) == (None, 0)
    assert read_answer("hit; ttl=-5; age=7", b"v", node="n:1").ttl == -5


@pytest.mark.parametrize("said", [-0.001, *ODD])
def test_what_is_no_length_of_time_is_zero(said: float) -> None:
    assert length(said) == 0


@pytest.mark.parametrize("health", [0, 99])
def test_a_health_of_a_later_version_is_not_shown_as_up(health: int) -> None:
    members = [pb.MemberInfo.FromString(bytes([3 << 3, health]))]
    (member,) = read_node(pb.DescribeResponse(members=members)).members
    assert member.health is Health.LEFT_OUT


@pytest.mark.parametrize("code", [0, 17, -1])
async def test_a_failure_with_the_code_of_none_is_unknown(code: int) -> None:
    one = ask("k")
    failure = pb.Failure(place=0, status=pb.Status(code=code, message="no"))
    settle(pb.BatchGetResponse(failures=[failure]), [one], node="n:1")
    with pytest.raises(UnexpectedStatus, match="no") as caught:
        await one.outcome
    assert caught.value.status == "UNKNOWN"


def test_a_tier_that_has_done_nothing_yet_is_told_and_no_tier_is_none() -> None:
    settings = pb.GroupSettings(**GroupSettings().model_dump(exclude_none=True))
    told = read_node(
        pb.DescribeResponse(
            groups=[
                pb.GroupInfo(
                    name="tiered",
                    settings=settings,
                    figures=pb.GroupFigures(tier=pb.TierFigures()),
                ),
                pb.GroupInfo(name="bare", settings=settings),
            ]
        )
    )
    assert told.groups["tiered"].stats.tier is not None
    assert told.groups["bare"].stats.tier is None


def response(*, ttl: float, age: float) -> pb.BatchGetResponse:
    return pb.BatchGetResponse(
        places=[0],
        data=[b"v"],
        ttls=[ttl],
        ages=[age],
        answers=[pb.ANSWER_HIT],
        stored=[False],
        origin_places=[0],
        origins=[pb.Origin()],
    )
