"""What chance decides of a run beforehand: its size, its settings, and how much goes wrong."""

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self

from simulation.network import Weather
from simulation.source import Mood

from cache_core import GroupSettings
from cache_core.cluster.member import Member

MEMBERS: Final = tuple(Member(f"node-{number}:1", 1 + (number == 3)) for number in range(1, 7))


class Climate(Enum):
    """How much goes wrong in a run."""

    CALM = "calm"
    """Nothing: no fault of the network and the nodes; the source may fail."""
    ONE_DOWN = "one down"
    """Of three nodes or more, one crashes or leaves; all else is well."""
    STORMY = "stormy"
    """All faults there are."""
    DIVIDED = "divided"
    """All faults, and lists of members that never agree."""
    TOGETHER = "together"
    """Two faults at once, in a cluster that is well before and after."""


SITUATIONS: Final = {
    "a node that missed a removal leaves": 3,
    "a node joins beside one that missed a removal": 3,
    "a node is on another's list alone": 4,
    "a node joins while a removal runs": 4,
    "the remover dies": 2,
    "a node freezes during a removal": 2,
    "a removal while a node is left out": 1,
    "a node starts beside a silent one": 1,
    "a node is held up": 1,
    "a flush beside a refresh": 2,
    "a node reloads during a removal": 2,
    "the tier is away during a removal": 4,
    "a node that said goodbye comes back": 1,
    "a node that came back is cut off for long": 1,
}
"""The kinds of two faults at once, and how often each is to be among those of a run."""

LONG: Final = ("a node that said goodbye comes back", "a node that came back is cut off for long")
"""Those that take as long as a node that is gone is remembered: little else is done meanwhile."""

JOINING: Final = {
    "a node is on another's list alone",
    "a node joins while a removal runs",
    "a node joins beside one that missed a removal",
}
"""Those in which a new node is to own some keys soon."""

FAULTS: Final = ("crash", "drain", "freeze", "cut", "isolate", "spoil", "join")
"""The faults that come one after another, by the names of their methods."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that chance decides of a run beforehand; times in seconds."""

    climate: Climate
    nodes: int
    clients: int
    keys: tuple[str, ...]
    settings: GroupSettings
    weather: Weather
    mood: Mood
    seconds: float
    pause: float
    heals: bool
    telling: float
    near_cache: int
    hidden: dict[str, tuple[Member, ...]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    """Those of FAULTS that may happen: a run with few of them reaches what one with all does not
    (Groce et al.: Swarm testing, 2012)."""
    situations: tuple[str, ...] = ()
    has_tier: bool = False

    @classmethod
    def of(cls, rng: random.Random) -> Self:
        """Return what `rng` decides."""
        climate = rng.choices(list(Climate), [2, 2, 4, 1, 6])[0]
        nodes = rng.choice([2, 3, 3, 3, 4, 5])
        if climate in (Climate.ONE_DOWN, Climate.TOGETHER):
            nodes = max(nodes, 3)
        rough = climate in (Climate.STORMY, Climate.DIVIDED)
        situations = _situations(rng) if climate is Climate.TOGETHER else ()
        joins = not JOINING.isdisjoint(situations)
        needs_tier = "the tier is away during a removal" in situations
        return cls(
            climate=climate,
            nodes=nodes,
            clients=rng.choice([2, 3]),
            keys=_keys(rng, 8 if joins else rng.choice([1, 3, 6])),
            settings=_lasting(rng, situations) if situations else _settings(rng),
            faults=_swarm(rng) if rough else (),
            situations=situations,
            has_tier=needs_tier or rng.random() < 0.2,
            weather=Weather(
                loss=rng.choice([0, 0, 0.01, 0.05]) if rough else 0,
                reset=rng.choice([0, 0, 0.01, 0.05]) if rough else 0,
                delay=rng.choice([0.001, 0.01, 0.03]),
                slow=rng.choice([0, 0.02]) if rough else 0,
            ),
            mood=Mood() if climate in (Climate.ONE_DOWN, Climate.TOGETHER) else _mood(rng),
            seconds=rng.uniform(1.5, 4.5),
            pause=2.0 if set(situations) & set(LONG) else rng.choice([0.1, 0.2, 0.4]),
            heals=rng.random() < 0.3,
            telling=0.01 if joins else rng.choice([0.01, 0.3]),
            near_cache=rng.choice([0, 4_000, 1_000_000, 1_000_000]),
            hidden=_hidden(rng, nodes) if climate is Climate.DIVIDED else {},
        )

    @property
    def aftermath(self) -> float:
        """Seconds in which what was handed over could outlive its TTL, where few entries change."""
        return self.settings.ttl or 0.0 if self.climate is Climate.ONE_DOWN else 0.0


def _settings(rng: random.Random) -> GroupSettings:
    ttl = rng.choice([None, 1.0, 4.0])
    return GroupSettings(
        capacity=rng.choice([4_000, 1_000_000]),
        policy=rng.choice(["s3fifo", "lru", "lfu"]),
        ttl=ttl,
        jitter=rng.choice([0, 0.1]),
        stale_while_revalidate=rng.choice([0, 0, 1.0]),
        stale_if_error=rng.choice([0, 0, 1.0]),
        negative_ttl=rng.choice([0, 1.0]),
        refresh_ahead=rng.choice([0, 0.4]) if ttl else 0,
        hot_share=rng.choice([0.125, 0.4]),
        hot_ttl=rng.choice([0, 0.5, 1.5, 1.5]),
        load_timeout=rng.choice([0.5, 2.0]),
        load_concurrency=rng.choice([1, 64, 64]),
        load_queue=rng.choice([1, 64]),
    )


def _lasting(rng: random.Random, situations: tuple[str, ...]) -> GroupSettings:
    """Return settings by which entries and copies stay, so that what is old is seen."""
    refreshes = "a flush beside a refresh" in situations
    return _settings(rng).model_copy(
        update={
            "capacity": 1_000_000,
            "ttl": 1.0 if refreshes else rng.choice([None, None, 4.0]),
            "refresh_ahead": rng.choice([0, 0.4]) if refreshes else 0,
            "stale_while_revalidate": rng.choice([0, 1.0]) if refreshes else 0,
            "hot_ttl": rng.choice([0.5, 1.5, 1.5]),
        }
    )


def _mood(rng: random.Random) -> Mood:
    return Mood(
        fails=rng.choice([0, 0, 0.1]),
        hangs=rng.choice([0, 0, 0.03]),
        slowness=rng.choice([0.01, 0.05, 0.2]),
    )


def _hidden(rng: random.Random, nodes: int) -> dict[str, tuple[Member, ...]]:
    """Hide one member from one other node, and one from a client: never each from the other."""
    one, other = rng.sample(MEMBERS[:nodes], 2)
    return {one.name: (other,), "client-1": (one,)}


def _keys(rng: random.Random, count: int) -> tuple[str, ...]:
    """Return keys that other members own in each run."""
    return tuple(f"key-{number}" for number in rng.sample(range(1_000), k=count))


def _situations(rng: random.Random) -> tuple[str, ...]:
    kinds, weights = list(SITUATIONS), list(SITUATIONS.values())
    return tuple(dict.fromkeys(rng.choices(kinds, weights, k=rng.choice([1, 1, 2]))))


def _swarm(rng: random.Random) -> tuple[str, ...]:
    return tuple(fault for fault in FAULTS if rng.random() < 0.6) or (rng.choice(FAULTS),)
