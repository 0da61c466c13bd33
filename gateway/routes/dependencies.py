"""The parameters of several resources' routes: a path's group, a query's encoding, the timeout."""

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Path, Query, Request
from fastapi.openapi.models import Example
from pydantic.json_schema import SkipJsonSchema
from starlette.convertors import StringConvertor, register_url_convertor

from gateway.http.deadline import (
    GRPC_GRAMMAR,
    GRPC_TIMEOUT,
    SECONDS_GRAMMAR,
    timeout_of,
)
from gateway.http.fields import joined
from gateway.http.form.representation import Encoding
from gateway.http.limits import Limits
from gateway.middleware import tracing

SCORES: Final[dict[str, Example]] = {"scores": {"value": "scores"}}
TOM: Final[dict[str, Example]] = {"Tom": {"value": "Tom"}}

GroupPath = Annotated[
    str,
    Path(
        description="The group's name, at most 128 bytes.",
        openapi_examples=SCORES,
        json_schema_extra={"minLength": 1, "maxLength": Limits().group_bytes},
    ),
]
KeyPath = Annotated[
    str,
    Path(
        description="Everything after `/keys/`, slashes included; at most 1,024 bytes.",
        openapi_examples=TOM,
        json_schema_extra={"minLength": 1, "maxLength": Limits().key_bytes},
    ),
]
EncodingQuery = Annotated[
    Encoding | SkipJsonSchema[None],
    Query(description="The JSON form with the value encoded so, whatever `Accept` says."),
]


class Segment(StringConvertor):
    """One segment of a path, which may be empty, because a group's name may be so in gRPC."""

    regex = "[^/]*"


register_url_convertor("segment", Segment())


def _field(name: str, description: str, pattern: str | None = None) -> object:
    """Return a header that is only documented here, because it is read from the raw fields."""
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
"""The seconds that a request's answer may take; a malformed field is answered 400."""
