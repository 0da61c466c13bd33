import itertools
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_core.cluster.member import MAX_WEIGHT, Member
from cache_core.cluster.ring import MAX_MEMBERS, Ring

KEYS = [f"user:{number}" for number in range(300)]
A, B, C, D = (Member(f"10.0.0.{number}:8080") for number in range(1, 5))

members = st.lists(
    st.builds(Member, st.text("abc0:", max_size=4), st.integers(1, 3)),
    max_size=5,
    unique_by=lambda member: member.name,
)

few_or_many = pytest.mark.parametrize("examples", [10, pytest.param(100, marks=pytest.mark.slow)])
"""How often a property is tried."""


def owned(ring: Ring, keys: Iterable[str] = KEYS) -> dict[str, str | None]:
    return {key: ring.owner(key) for key in keys}


# What a released version answers must hold for ever: nodes of two versions share a cluster.
PINNED = {
    (): (
        0xEB09071077558E22,
        [None, None, None, None, None, None],
    ),
    ("127.0.0.1:8080",): (
        0xF0E66E95C898C2D3,
        [
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8080",
        ],
    ),
    ("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082"): (
        0xCA210F84EFAB6525,
        [
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8080",
            "127.0.0.1:8081",
            "127.0.0.1:8082",
            "127.0.0.1:8081",
        ],
    ),
    ("a:1", "b:2*3", "[::1]:80*2"): (
        0xE809C8DEC64BDEA1,
        ["[::1]:80", "[::1]:80", "b:2", "a:1", "[::1]:80", "b:2"],
    ),
}


@pytest.mark.parametrize("cluster", PINNED)
def test_the_ring_is_the_same_in_every_version(cluster: tuple[str, ...]) -> None:
    ring = Ring(Member.parse(text) for text in cluster)
    version, owners = PINNED[cluster]
    assert ring.version == version
    assert [ring.owner(key) for key in ("Tom", "Jack", "", "a/b", "ä", "k" * 1024)] == owners


def test_who_takes_over_is_the_same_in_every_version() -> None:
    ring = Ring([A, B, C, Member(D.name, 3)])
    assert [list(ring.owners(key)) for key in ("Tom", "Jack")] == [
        ["10.0.0.4:8080", "10.0.0.2:8080", "10.0.0.3:8080", "10.0.0.1:8080"],
        ["10.0.0.2:8080", "10.0.0.4:8080", "10.0.0.3:8080", "10.0.0.1:8080"],
    ]


def test_an_empty_ring_owns_nothing() -> None:
    ring = Ring([])
    assert ring.members == ()
    assert ring.owner("Tom") is None
    assert list(ring.owners("Tom")) == []
    assert ring.shares() == {}


@few_or_many
def test_the_order_of_joining_has_no_meaning(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(members, st.randoms(use_true_random=False))
    def holds(some: list[Member], rng: random.Random) -> None:
        other = rng.sample(some, len(some))
        one, two = Ring(some), Ring(other)
        assert (one.members, one.version, one.shares()) == (two.members, two.version, two.shares())
        assert owned(one) == owned(two)

    holds()


@few_or_many
def test_a_new_member_takes_keys_and_no_other_gets_any(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(members, st.builds(Member, st.just("new:1"), st.integers(1, 3)))
    def holds(some: list[Member], new: Member) -> None:
        before, after = owned(Ring(some)), owned(Ring([*some, new]))
        moved = {after[key] for key in KEYS if after[key] != before[key]}
        assert moved == {new.name}

    holds()


@few_or_many
def test_keys_of_a_member_that_leaves_go_to_the_next_and_no_other_moves(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(members.filter(bool), st.data())
    def holds(some: list[Member], data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(some))
        before = Ring(some)
        after = Ring(member for member in some if member != gone)
        for key in KEYS:
            left = [name for name in before.owners(key) if name != gone.name]
            assert list(after.owners(key)) == left

    holds()


@few_or_many
def test_owners_are_every_member_once_and_the_owner_first(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(members, st.text())
    def holds(some: list[Member], key: str) -> None:
        ring = Ring(some)
        names = list(ring.owners(key))
        assert sorted(names) == [member.name for member in ring.members]
        assert names[:1] == ([] if not some else [ring.owner(key)])

    holds()


@pytest.mark.parametrize("key", ["key/22526", "key/14077", "key/25149"])
def test_keys_beyond_the_last_point_belong_to_the_first(key: str) -> None:
    """The last point of this ring is the other member's, these keys' places are beyond it."""
    first, last = Member("10.0.0.28:8080"), Member("10.0.0.31:8080")
    ring = Ring([first, last])
    assert ring.owner(key) == first.name
    assert list(ring.owners(key)) == [first.name, last.name]


def test_owners_are_found_one_by_one() -> None:
    owners = Ring([A, B, C]).owners("Tom")
    assert iter(owners) is owners
    assert len(list(itertools.islice(owners, 2))) == 2
    assert len(list(owners)) == 1


def test_a_heavier_member_gives_no_key_away() -> None:
    light, heavy = owned(Ring([A, B])), owned(Ring([A, Member(B.name, 2)]))
    assert all(heavy[key] == B.name for key in KEYS if light[key] == B.name)
    assert light != heavy


@few_or_many
def test_the_version_tells_names_and_weights_apart(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(members)
    def holds(some: list[Member]) -> None:
        changed = [
            {*some} - {member} | {other}
            for member in some
            for other in (Member(member.name + "x", member.weight), Member(member.name, 4))
        ]
        others = [Ring(other).version for other in (*changed, {*some, Member("new:1")})]
        assert Ring(some).version not in others
        assert all(0 <= version < 1 << 64 for version in others)

    holds()


@pytest.mark.parametrize("count", [3, 4, 8, 16, 32, 64])
def test_the_fullest_of_equal_members_has_less_than_1_15_times_the_mean(count: int) -> None:
    rng = random.Random(count)
    named = {
        "numbered": [f"node-{n}.cache.default.svc:8080" for n in range(count)],
        "ports": [f"127.0.0.1:{8080 + n}" for n in range(count)],
        "long": [f"{'x' * 200}{n}:1" for n in range(count)],
        "by chance": [f"{rng.randbytes(6).hex()}:{rng.randrange(65536)}" for _ in range(count)],
    }
    for kind, names in named.items():
        shares = Ring(map(Member, names)).shares()
        assert max(shares.values()) * count < 1.15, kind


def test_keys_are_shared_out_as_the_shares_say() -> None:
    ring = Ring([A, B, Member(C.name, 5)])
    count = 20_000
    keys = Counter(ring.owner(f"key/{number}") for number in range(count))
    for name, share in ring.shares().items():
        assert keys[name] / count == pytest.approx(share, abs=0.015)


def test_members_own_parts_in_proportion_to_their_weights() -> None:
    weights = {A.name: 1, B.name: 2, C.name: 4, D.name: MAX_WEIGHT}
    shares = Ring(Member(name, weight) for name, weight in weights.items()).shares()
    assert sum(shares.values()) == pytest.approx(1)
    for name, weight in weights.items():
        assert shares[name] == pytest.approx(weight / sum(weights.values()), rel=0.1)


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ([A, Member(A.name, 2)], "two weights, 1 and 2"),
        ([Member("a:1", 0)], "a:1 has weight 0"),
        ([Member("a:1", MAX_WEIGHT + 1)], "weight 101"),
        ([Member(f"a:{n}") for n in range(MAX_MEMBERS + 1)], "at most 65536 members"),
    ],
)
def test_members_that_make_no_ring_are_refused(cluster: list[Member], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Ring(cluster)


def test_a_member_told_twice_is_one() -> None:
    assert Ring([A, A]).version == Ring([A]).version
