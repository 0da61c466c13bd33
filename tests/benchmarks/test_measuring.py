import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter

import pytest
from interrupting import SIGNALS, ended_by_signals
from keyset import COUNTS, by_zipf, keys
from load import Load
from matrix import HOT, LONE, plan
from mixture import Mixture
from process_figures import cpu_seconds, resident, tree
from rounds import Ratio, quotients, turns
from sampling import Sample, row_of
from serve import parse_only
from serve_ratios import ratios
from sized_values import sized_value
from soak import memory_checks
from typer import BadParameter

MIB = 1 << 20


def sample(rate: int, *, cpu: float = 100, p50: float = 1.0, **errors: int) -> Sample:
    return Sample(Load(rate, 1.0, p50, 2.0, 3.0, errors), {"gateway": cpu})


def test_each_contender_has_its_turn_in_each_cell_in_an_order_that_chance_makes() -> None:
    order = list(turns(["a", "b", "c"], [1, 2], random.Random(1)))
    assert Counter(order) == Counter((cell, name) for cell in (1, 2) for name in "abc")
    assert order != list(turns(["a", "b", "c"], [1, 2], random.Random(2)))
    assert [cell for cell, _ in order] in ([1] * 3 + [2] * 3, [2] * 3 + [1] * 3)


@pytest.mark.parametrize(
    ("rounds", "least", "most", "reached"),
    [
        ([11.0, 13.0, 12.5], 12.0, None, True),
        ([11.0, 13.0, 11.5], 12.0, None, False),
        ([1.2, 1.0, 1.1], None, 1.15, True),
        ([1.2, 1.3, 1.1], None, 1.15, False),
        ([1.0], None, None, None),
    ],
)
def test_a_ratio_is_reached_by_its_median(
    rounds: list[float], least: float | None, most: float | None, *, reached: bool | None
) -> None:
    assert Ratio("r", rounds, least=least, most=most).reached is reached


def test_ratios_are_made_round_by_round() -> None:
    assert quotients([10, 40], [5, 10]) == [2, 4]


def test_a_row_has_medians_and_all_errors() -> None:
    row = row_of([sample(10, cpu=5, status=1), sample(30, cpu=9), sample(20, cpu=6, status=2)])
    assert (row.rate, row.cpu, row.errors) == (20, {"gateway": 6}, {"status": 3})


def test_the_figures_to_reach_are_those_of_the_hot_key_and_of_one_connection() -> None:
    samples = {
        (HOT, "near-off"): [sample(1_300, cpu=50)],
        (HOT, "fastapi-grpc"): [sample(100, cpu=1_000)],
        (LONE, "near-on"): [sample(1, p50=0.3)],
        (LONE, "uvicorn"): [sample(1, p50=0.2)],
    }
    found = {ratio.title: ratio for ratio in ratios(samples, {})}
    plain = found["near cache off, against FastAPI + grpc.aio"]
    assert (plain.value, plain.by_cpu, plain.reached) == (13, [20], True)
    lone = found["one connection, near cache on: p50 against uvicorn alone"]
    assert (round(lone.value, 3), lone.reached) == (1.5, False)
    assert len(found) == 2


def test_a_contender_without_an_answer_has_no_ratio() -> None:
    samples = {(HOT, "near-off"): [sample(9)], (HOT, "fastapi-grpc"): [sample(0)]}
    assert not list(ratios(samples, {}))


def test_a_default_run_takes_less_than_a_quarter_of_an_hour_and_a_quick_one_a_minute() -> None:
    assert 5 < plan(quick=False, full=False, rounds=None).minutes(7) < 13
    assert plan(quick=True, full=False, rounds=None).minutes(7) < 0.5
    assert len(plan(quick=False, full=True, rounds=3).cells) == 24


def test_only_contenders_can_be_chosen() -> None:
    assert parse_only("near-on, uvicorn") == ["near-on", "uvicorn"]
    with pytest.raises(BadParameter, match="should be one of"):
        parse_only("nginx")


def test_keys_are_drawn_by_zipf() -> None:
    drawn = Counter(by_zipf(keys(100), 50_000, random.Random(7)))
    harmonic = sum(1 / rank for rank in range(1, COUNTS[100] + 1))
    assert drawn[keys(100)[0]] == pytest.approx(50_000 / harmonic, rel=0.05)
    assert drawn[keys(100)[9]] == pytest.approx(5_000 / harmonic, rel=0.2)


@pytest.mark.parametrize("key", ["100/17", "1/0", "10240/9999"])
def test_a_value_has_the_size_that_its_key_says(key: str) -> None:
    assert len(sized_value(key) or b"") == int(key.partition("/")[0])


@pytest.mark.parametrize("key", ["missing/100/17", "100", "", "/1"])
def test_a_key_without_a_size_is_missing(key: str) -> None:
    assert sized_value(key) is None


async def test_a_process_is_counted_with_those_below_it() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1); input()'])"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    await process.stdout.readline()  # the one below it runs
    below = list(tree(process.pid))
    assert len(below) == 2
    assert resident(process.pid) > resident(below[1]) > 0
    await process.communicate(b"\n")
    assert not list(tree(process.pid))


def test_cpu_time_is_what_was_used() -> None:
    began, used = time.process_time(), cpu_seconds(os.getpid())
    while time.process_time() < began + 0.1:
        pass
    assert cpu_seconds(os.getpid()) - used == pytest.approx(0.1, abs=0.05)


async def test_a_soak_notes_an_answer_that_should_not_be() -> None:
    stop = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        stop.set()
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    mixture = Mixture(random.Random(7))
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        await mixture.talk(server.sockets[0].getsockname()[1], stop)
    assert mixture.counts["wrong"] == 1
    assert "503, not " in mixture.wrong[0]


def test_memory_that_grows_is_told_from_memory_that_is_flat() -> None:
    flat = [(60 if turn < 10 else 80 + turn % 3) * MIB for turn in range(40)]
    grown = [(80 + turn) * MIB for turn in range(40)]
    checks = memory_checks({"gateway": flat, "node": grown})
    assert [check.holds for check in checks] == [True, False]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_benchmark_is_ended_by_a_signal_that_it_began_with_ignored(
    number: signal.Signals,
) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit) as caught, ended_by_signals():
            signal.raise_signal(number)
        assert caught.value.code == 128 + number
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
