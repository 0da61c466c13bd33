"""What the routes of several resources have in common: a path's group, a query's encoding."""

from typing import Annotated, Final

from fastapi import Path, Query
from fastapi.openapi.models import Example
from pydantic.json_schema import SkipJsonSchema
from starlette.convertors import StringConvertor, register_url_convertor

from gateway.limits import Limits
from gateway.representation import Encoding

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
    """One segment of a path that may be empty, as a group's name may be in gRPC."""

    regex = "[^/]*"


register_url_convertor("segment", Segment())
