"""The contenders over HTTP: ours, and what it is measured against; each by its name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyset import GROUP, SIZES, keys
from programs import program
from sized_values import sized_value
from stage import NEAR_CACHE, Server, Stage


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that answers GETs: its title, and a server for values of each size.

    `programs` are those that it needs besides ours.
    """

    title: str
    start: Callable[[Stage], Mapping[int, Server]]
    programs: Sequence[str] = ()


def _for_all(server: Server) -> Mapping[int, Server]:
    return dict.fromkeys(SIZES, server)


def _ours(
    engine: str, *, near_cache: str = "0", fast_lane: bool = True
) -> Callable[[Stage], Mapping[int, Server]]:
    def start(stage: Stage) -> Mapping[int, Server]:
        node = stage.node(engine)
        return _for_all(stage.gateway([node], near_cache=near_cache, fast_lane=fast_lane))

    return start


def _plain_grpc(stage: Stage) -> Mapping[int, Server]:
    node = stage.node("grpcio")
    return _for_all(stage.app("plain_grpc", f"127.0.0.1:{node.port}", behind=[node]))


def _plain_redis(stage: Stage) -> Mapping[int, Server]:
    return _for_all(stage.app("plain_redis", stage.redis.port, behind=[stage.redis]))


def _envoy(stage: Stage) -> Mapping[int, Server]:
    return _for_all(stage.envoy(stage.node("native")))


def _constant(stage: Stage) -> Mapping[int, Server]:
    return {size: stage.app("constant_asgi", len(answer(keys(size)[0]))) for size in SIZES}


NEAR, OFF, OFF_GRPCIO = "near-on", "near-off", "near-off-grpcio"
PLAIN, REDIS, ENVOY, CONSTANT = "fastapi-grpc", "fastapi-redis", "envoy", "uvicorn"

CONTENDERS: Final[Mapping[str, Contender]] = {
    NEAR: Contender(
        "gateway + node (native), near cache on", _ours("native", near_cache=NEAR_CACHE)
    ),
    OFF: Contender("gateway + node (native), near cache off", _ours("native")),
    OFF_GRPCIO: Contender("gateway + node (grpcio), near cache off", _ours("grpcio")),
    "no-fast-lane": Contender(
        "gateway + node (native), near cache and fast lane off", _ours("native", fast_lane=False)
    ),
    PLAIN: Contender("FastAPI + grpc.aio, our node (grpcio)", _plain_grpc),
    REDIS: Contender("FastAPI + Redis", _plain_redis, ("redis-server",)),
    ENVOY: Contender("Envoy's transcoder, our node (native)", _envoy, ("envoy",)),
    CONSTANT: Contender("uvicorn alone, constant answer", _constant),
}
DEFAULT: Final = (NEAR, OFF, OFF_GRPCIO, PLAIN, REDIS, ENVOY, CONSTANT)


def needed(names: Sequence[str]) -> None:
    """Check that the programs of these contenders are there. Raises typer.BadParameter."""
    others = (need for name in names for need in CONTENDERS[name].programs)
    for need in ("wrk", "taskset", *others):
        program(need)


def answer(key: str) -> str:
    """Return the JSON that our gateway answers for `key`."""
    value = (sized_value(key) or b"").decode()
    return f'{{"group":"{GROUP}","key":"{key}","value":"{value}","encoding":"utf-8"}}'
