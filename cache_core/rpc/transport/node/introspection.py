"""The services by which a node tells of its gRPC services: health, and reflection in two versions.

Both versions of reflection have the same messages.
"""

import asyncio
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH_FILE
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from cache_core.rpc.calls import SERVICES, Send
from cache_core.rpc.grpc.status import StatusCode, StatusError

HEALTH: Final = HEALTH_FILE.services_by_name["Health"].full_name
REFLECTIONS: Final = (
    "grpc.reflection.v1alpha.ServerReflection",
    "grpc.reflection.v1.ServerReflection",
)
SERVED: Final = (*SERVICES, HEALTH, *REFLECTIONS)


class Health:
    """What grpc.health.v1 tells of the services: of each alone, and of all as ``""``."""

    def __init__(self) -> None:
        self._status = HealthCheckResponse.NOT_SERVING
        self._changed = asyncio.Event()

    def serve(self) -> None:
        """Report all services as serving from now on."""
        self._change(HealthCheckResponse.SERVING)

    def drain(self) -> None:
        """Report all services as not serving from now on."""
        self._change(HealthCheckResponse.NOT_SERVING)

    def check(self, data: bytes) -> bytes:
        """Return the answer to a Check. Raises StatusError."""
        if not _is_known(data):
            raise StatusError(StatusCode.NOT_FOUND, "there is no such service")
        answer: bytes = HealthCheckResponse(status=self._status).SerializeToString()
        return answer

    async def watch(self, data: bytes, send: Send) -> None:
        """Send the answers to a Watch, until it is cancelled. Raises StatusError."""
        is_known = _is_known(data)
        while True:
            changed = self._changed
            status = self._status if is_known else HealthCheckResponse.SERVICE_UNKNOWN
            await send(HealthCheckResponse(status=status).SerializeToString)
            await changed.wait()

    def _change(self, status: "HealthCheckResponse.ServingStatus.ValueType") -> None:
        self._status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def reflect(data: bytes) -> bytes:
    """Return the answer to one question of a reflection. Raises StatusError."""
    from grpc_reflection.v1alpha.reflection_pb2 import (  # noqa: PLC0415 - few ask, and it takes 0.1 s
        ServerReflectionRequest,
    )

    try:
        question = ServerReflectionRequest.FromString(data)
    except DecodeError as error:
        words = "the message is no ServerReflectionRequest"
        raise StatusError(StatusCode.INVALID_ARGUMENT, words) from error
    answers: Any = _reflection().ServerReflectionInfo(iter((question,)), None)
    answer: bytes = next(answers).SerializeToString()
    return answer


@lru_cache
def _reflection() -> Any:  # noqa: ANN401 - the stubs know another signature than the library has
    from grpc_reflection.v1alpha import reflection  # noqa: PLC0415 - as above

    return reflection.ReflectionServicer(SERVED)


def _is_known(data: bytes) -> bool:
    try:
        service = HealthCheckRequest.FromString(data).service
    except DecodeError as error:
        words = "the message is no HealthCheckRequest"
        raise StatusError(StatusCode.INVALID_ARGUMENT, words) from error
    return not service or service in SERVICES
