import pytest
from h2load import framed, percentile, read_h2load, read_log
from load import BadOutput
from wrk import read_wrk

from cache_core.pb.gaocache_pb2 import GetRequest

WRK = """\
Running 2s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
Requests/sec:  44100.00
result {"requests": 88200, "seconds": 2.000000, "p50": 1.4, "p99": 3.5, "p999": 4.5, "errors": \
{"connect": 0, "read": 3, "write": 0, "status": 12, "timeout": 0}}
"""
H2LOAD = """\
starting benchmark...
finished in 500.20ms, 4335.00 req/s, 697.99KB/s
requests: 4335 total, 4399 started, 4335 done, 4330 succeeded, 5 failed, 5 errored, 0 timeout
status codes: 4330 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 697.99KB (714737) total, 12.99KB (13305) headers (space savings 96.21%), \
452.97KB (463845) data
                     min         max         mean         sd        +/- sd
time for request:      425us     28.71ms     14.62ms      2.57ms    88.72%
"""


def test_what_wrk_said_is_read_and_only_errors_that_happened_are_errors() -> None:
    load = read_wrk(WRK)
    assert (load.rate, load.p50, load.p99, load.p999) == (44_100, 1.4, 3.5, 4.5)
    assert load.errors == {"read": 3, "status": 12}


def test_a_run_of_wrk_without_an_answer_is_an_error() -> None:
    assert read_wrk(WRK.replace('"requests": 88200', '"requests": 0')).errors["no answer"] == 1


@pytest.mark.parametrize("read", [read_wrk, read_h2load])
def test_a_generator_that_says_no_result_has_failed(read: object) -> None:
    assert callable(read)
    with pytest.raises(BadOutput, match="unable to connect"):
        read("unable to connect to 127.0.0.1:8000 Connection refused\n")


def test_what_h2load_said_is_read_with_its_failures() -> None:
    said = read_h2load(H2LOAD)
    assert (said.done, said.seconds, said.data) == (4335, 0.5002, 463_845)
    assert said.errors == {"failed": 5, "errored": 5}


def test_a_status_that_is_no_2xx_is_an_error_of_h2load() -> None:
    said = read_h2load(H2LOAD.replace("4330 2xx, 0 3xx, 0 4xx", "0 2xx, 0 3xx, 4330 4xx"))
    assert said.errors["4xx"] == 4330
    assert said.errors["no answer"] == 1


def test_latencies_are_those_of_answers() -> None:
    assert read_log("1795800462221102\t200\t4844\n1795800462221104\t-1\t9\n") == [4844]


def test_percentiles_are_of_what_is_ordered() -> None:
    ordered = list(range(1, 1001))
    assert [percentile(ordered, of) for of in (50, 99, 99.9, 100)] == [501, 991, 1000, 1000]
    assert percentile([], 50) == 0


def test_a_request_is_framed_as_grpc_has_it() -> None:
    data = GetRequest(group="g", key="k").SerializeToString()
    assert framed(GetRequest(group="g", key="k")) == b"\0\0\0\0" + bytes([len(data)]) + data
