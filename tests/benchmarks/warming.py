"""Before anything is measured, every cache holds every key, and every contender has answered."""

import base64
import json
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Final

import grpc
import redis
from keyset import GROUP, keys, target
from sized_values import sized_value
from stage import Server

from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.pb.cluster_pb2_grpc import ClusterStub

AT_A_TIME: Final = {100: 1_000, 10 * 1024: 200, 1024 * 1024: 4}
"""How many keys of a size are asked for together."""


class BadAnswer(Exception):
    """A contender answered something else than the value."""


def warm_node(port: int, names: Sequence[str], *, group: str = GROUP, at_a_time: int) -> None:
    """Have the node at `port`, and the owners in its cluster, load the keys. Raises BadAnswer.

    No event loop is made for it: grpc.aio has one a process.
    """
    options = (("grpc.max_receive_message_length", -1),)
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        node = ClusterStub(channel)
        for some in batches(names, at_a_time):
            request = BatchGetRequest(groups=[group], keys=some)
            for response in node.BatchGet(request, timeout=30):
                for failure in response.failures:
                    raise BadAnswer(f"{some[failure.place]}: {failure.status.message}")


def warm_redis(server: Server, sizes: Iterable[int]) -> None:
    """Store the keys of these sizes in Redis."""
    with redis.Redis(port=server.port) as store:
        for size in sizes:
            for some in batches(keys(size), AT_A_TIME[size]):
                store.mset({f"{GROUP}:{key}": sized_value(key) or b"" for key in some})


def check(server: Server, key: str, *, constant: bool) -> None:
    """Check that a contender answers `key` with its value. Raises BadAnswer."""
    url = f"http://127.0.0.1:{server.port}{target(key)}"
    with urllib.request.urlopen(url, timeout=30) as reply:
        body = reply.read()
    expected = sized_value(key) or b""
    if constant:
        if len(body) < len(expected):
            raise BadAnswer(f"{url} has {len(body)} bytes, not {len(expected)}")
        return
    value = json.loads(body)["value"]
    if value not in (expected.decode(), base64.b64encode(expected).decode()):  # Envoy's: proto3's
        raise BadAnswer(f"{url} is {body[:200]!r}")


def batches(names: Sequence[str], count: int) -> Iterable[Sequence[str]]:
    """Yield `names` in parts of `count`."""
    return (names[start : start + count] for start in range(0, len(names), count))
