"""What every route that asks a node depends on: how long the answer may take."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema

from gateway import tracing
from gateway.deadline import (
    GRPC_GRAMMAR,
    GRPC_TIMEOUT,
    SECONDS_GRAMMAR,
    timeout_of,
)
from gateway.fields import joined


def _field(name: str, description: str, pattern: str | None = None) -> object:
    """Return a header that is documented here and read from the raw fields."""
    extra = {"pattern": f"^{pattern}$"} if pattern else None
    return Header(alias=name, description=description, json_schema_extra=extra)


Text: TypeAlias = str | SkipJsonSchema[None]


async def _timeout(
    request: Request,
    _grpc_timeout: Annotated[
        Text,
        _field(GRPC_TIMEOUT, "How long the answer may take, as gRPC has it: `500m`.", GRPC_GRAMMAR),
    ] = None,
    _request_timeout: Annotated[
        Text,
        _field(
            "X-Request-Timeout",
            "How long the answer may take, in seconds. The shorter counts where both are sent; "
            "the gateway has a limit of its own.",
            SECONDS_GRAMMAR,
        ),
    ] = None,
    _traceparent: Annotated[
        Text, _field(tracing.TRACEPARENT, "Passed on to the node (W3C Trace Context).")
    ] = None,
    _tracestate: Annotated[
        Text, _field(tracing.TRACESTATE, "Passed on with a valid `traceparent`.")
    ] = None,
) -> float:
    return timeout_of(joined(request.headers.raw), request.app.state.limits)


Timeout: TypeAlias = Annotated[float, Depends(_timeout)]
"""The seconds that a request's answer may take; what is malformed is 400."""
