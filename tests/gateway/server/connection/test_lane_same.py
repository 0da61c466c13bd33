"""Whatever is sent, and however: with the fast lane the answers are the same bytes as without."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import pytest
import pytest_asyncio
from conversation import at_once, in_turn
from fakes import ALL_BYTES, FakeClock, FakeSource
from hypothesis import HealthCheck, example, given, settings
from odd_requests import Sent
from odd_requests import requests as several
from served_gateway import NEAR_CACHE, serve_gateway

from cache_core import Client, Group, GroupSettings, Node
from cache_core.errors import CacheError
from cache_core.value import Outcome
from gateway.http.fields import Headers
from gateway.http.hosts import Hosts
from gateway.http.limits import Limits
from gateway.http.problems import Refused
from gateway.lane.answer import AnswerForm
from gateway.lane.lane import Known, Lane
from gateway.lane.request import Reader
from gateway.server import serving as server

LIMITS: Final = Limits(timeout=20, receive_timeout=2)
VALUES: Final = {
    "Tom": b"630",
    "empty": b"",
    "binary": ALL_BYTES,
    "a/b": b"slash",
    "ä": "Ä".encode(),
    "a b": b"space",
    "..": b"dots",
    "%41": b"percent",
    "document": b'{"a": [1, 2.50]}',
    "text": b"compressible " * 200,
    "long": bytes(range(256)) * 256,
    "k" * 1024: b"long key",
}
GROUPS: Final[dict[str, dict[str, object]]] = {
    "scores": {},
    "typed": {
        "content_type": "text/css",
        "ttl": 60,
        "stale_while_revalidate": 30,
        "stale_if_error": 600,
        "negative_ttl": 5,
    },
    "json": {"content_type": "application/json", "ttl": 9.5},
    "ä/b": {"ttl": 1},
}


NEAR_CACHES: Final = {"far": 0, "near": NEAR_CACHE}


class Source(FakeSource):
    """Has VALUES, and a key whose look-up fails."""

    async def retrieve(self, key: str) -> bytes | None:
        if key == "broken":
            raise ZeroDivisionError
        return VALUES.get(key)


class CountingLane(Lane):
    """Counts the answers that it writes."""

    answers = 0

    def again(self, data: bytes, said: Headers) -> bytes | None:
        written = super().again(data, said)
        CountingLane.answers += written is not None
        return written

    def write(
        self,
        request: bytes,
        known: Known,
        outcome: Outcome,
        form: AnswerForm | Refused | None = None,
        *,
        said: Headers,
        close: bool,
    ) -> tuple[bytes, bytes]:
        CountingLane.answers += 1
        return super().write(request, known, outcome, form, said=said, close=close)


class Both(NamedTuple):
    """The gateways with the lane and without it, in front of one node."""

    fast: str
    plain: str


@contextlib.asynccontextmanager
async def serving_both(near_cache: int, cors_origins: Sequence[str] = ()) -> AsyncIterator[Both]:
    """All of their node's values are held, and its clock and theirs stand still."""
    clock, source = FakeClock(), Source()
    groups = [
        Group(name, source, GroupSettings.model_validate({"jitter": 0, **given}), clock=clock)
        for name, given in GROUPS.items()
    ]
    serve = partial(serve_gateway, limits=LIMITS, cors_origins=cors_origins, near_cache=near_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "Lane", partial(CountingLane, clock=clock))
        patch.setattr(server, "Client", partial(Client, clock=clock))
        async with Node("127.0.0.1:0", groups, grace=5) as node:
            for group in groups:
                for key in (*VALUES, "absent"):
                    try:
                        await group.get(key)
                    except CacheError:
                        assert key == "absent"
            clock.tick(0.75)
            async with (
                serve(node.address) as fast,
                serve(node.address, fast_lane=False) as plain,
            ):
                yield Both(fast, plain)


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=NEAR_CACHES.values(), ids=NEAR_CACHES
)
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    """Those that allow no other origin, for all tests: what is asked of them changes nothing."""
    async with serving_both(request.param) as gateways:
        yield gateways


together = pytest.mark.asyncio(loop_scope="module")

SETTINGS: Final = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
PLAIN: Final = Sent(b"GET /groups/scores/keys/Tom HTTP/1.1\r\nHost: x\r\n\r\n")


def plain_ones(requests: list[Sent]) -> int:
    """Count those that are plain GETs and come as a whole."""
    reader = Reader(LIMITS, Hosts())
    return sum(len(sent.parts) == 1 and reader.read(sent.data) is not None for sent in requests)


async def check_in_turn(both: Both, requests: list[Sent]) -> None:
    expected, answered = await in_turn(both.plain, requests)
    before = CountingLane.answers
    found, _ = await in_turn(both.fast, requests)
    assert found == expected
    assert CountingLane.answers - before == plain_ones(requests[:answered])


async def check_at_once(both: Both, requests: list[Sent]) -> None:
    found, is_found_cut = await at_once(both.fast, requests)
    expected, is_expected_cut = await at_once(both.plain, requests)
    assert found == expected or (
        (is_found_cut and expected.startswith(found))
        or (is_expected_cut and found.startswith(expected))
    )


@together
@settings(SETTINGS, max_examples=20)
@given(requests=several)
@example(requests=[PLAIN, PLAIN, Sent(PLAIN.data, (7,)), PLAIN])
async def test_requests_in_turn(both: Both, requests: list[Sent]) -> None:
    await check_in_turn(both, requests)


@together
@settings(SETTINGS, max_examples=20)
@given(requests=several)
@example(requests=[PLAIN, PLAIN, Sent(PLAIN.data, (7,)), PLAIN])
async def test_requests_at_once(both: Both, requests: list[Sent]) -> None:
    await check_at_once(both, requests)


@pytest.mark.slow
@together
@pytest.mark.timeout(900)
@settings(SETTINGS, max_examples=1_000)
@given(requests=several)
async def test_many_requests_in_turn(both: Both, requests: list[Sent]) -> None:
    await check_in_turn(both, requests)


@pytest.mark.slow
@together
@pytest.mark.timeout(900)
@settings(SETTINGS, max_examples=1_000)
@given(requests=several)
async def test_many_requests_at_once(both: Both, requests: list[Sent]) -> None:
    await check_at_once(both, requests)


BROWSER: Final = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "DNT: 1\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n"
    "Sec-Fetch-User: ?1\r\nPriority: u=0, i\r\n"
)


@together
@pytest.mark.parametrize(
    "fields",
    [
        "",
        "User-Agent: curl/8.5.0\r\nAccept: */*\r\n",
        "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n",
        "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n",
        "X-Real-IP: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n",
        BROWSER,
    ],
    ids=["wrk", "curl", "httpx", "go", "nginx", "browser"],
)
async def test_what_clients_send_takes_the_lane(both: Both, fields: str) -> None:
    head = f"GET /groups/scores/keys/Tom HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{fields}\r\n"
    sent = Sent(head.encode())
    assert plain_ones([sent]) == 1
    await check_in_turn(both, [sent] * 3)


@pytest.mark.parametrize("near_cache", NEAR_CACHES.values(), ids=NEAR_CACHES)
@pytest.mark.parametrize("cors_origins", [["http://o"], ["*"]])
async def test_pages_of_other_origins_read_the_same(
    cors_origins: Sequence[str], near_cache: int
) -> None:
    async with serving_both(near_cache, cors_origins) as both:
        for key in ("Tom", "absent"):
            head = f"GET /groups/typed/keys/{key} HTTP/1.1\r\nHost: x\r\n"
            without = Sent(f"{head}\r\n".encode())
            within = Sent(f"{head}Origin: http://o\r\n\r\n".encode())
            await check_in_turn(both, [without, within] * 4)
