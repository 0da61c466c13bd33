"""The figures to reach, out of one run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from gateways import CONSTANT, ENVOY, NEAR, OFF, OFF_GRPCIO, PLAIN, REDIS
from keyset import Cell
from matrix import HOT, LONE, Samples
from rounds import Ratio, quotients
from sampling import Sample
from two_cores import ONE, TWO, WAYS

RATES: Final = (
    ("near cache off, against FastAPI + grpc.aio", OFF, PLAIN, 12.0),
    ("near cache off, against FastAPI + Redis", OFF, REDIS, 7.0),
    ("near cache off, against Envoy's transcoder", OFF, ENVOY, 2.5),
    ("near cache off, against uvicorn alone", OFF, CONSTANT, 1.0),
    ("near cache off, grpcio engine, against uvicorn alone", OFF_GRPCIO, CONSTANT, 0.5),
    ("near cache on, against uvicorn alone", NEAR, CONSTANT, 2.0),
)


def ratios(samples: Samples, cores: Mapping[str, Sequence[Sample]]) -> Iterator[Ratio]:
    """Yield what can be told of what was measured."""

    def of(cell: Cell, name: str, figure: Callable[[Sample], float]) -> list[float]:
        figures = [figure(taken) for taken in samples.get((cell, name), ())]
        return figures if all(figures) else []  # without an answer there is nothing to compare

    for title, ours, theirs, least in RATES:
        one, other = of(HOT, ours, _rate), of(HOT, theirs, _rate)
        if one and other:
            by_cpu = quotients(of(HOT, theirs, _cpu), of(HOT, ours, _cpu))
            yield Ratio(title, quotients(one, other), least=least, by_cpu=by_cpu)
    one, other = of(LONE, NEAR, _p50), of(LONE, CONSTANT, _p50)
    if one and other:
        title = "one connection, near cache on: p50 against uvicorn alone"
        yield Ratio(title, quotients(one, other), most=1.0)
    if cores:
        cpu = {name: [taken.whole_cpu for taken in found] for name, found in cores.items()}
        for way in WAYS:
            title = f"2 workers + 2 nodes on two cores against 1 + 1 on one: CPU a request, {way}"
            one, two = cpu[f"{ONE}, {way}"], cpu[f"{TWO}, {way}"]
            yield Ratio(title, quotients(two, one), most=1.15)


def _rate(taken: Sample) -> float:
    return taken.load.rate


def _cpu(taken: Sample) -> float:
    return taken.whole_cpu


def _p50(taken: Sample) -> float:
    return taken.load.p50
