"""Options of a node, for `gaocache node` and for `gaocache up`, which starts nodes."""

from typing import Annotated, TypeAlias

from cache_core.config import NodeTable
from gateway.cli.options.settings import setting

NodeGraceOption: TypeAlias = Annotated[
    str | None, setting(NodeTable, "node", "grace", metavar="SECONDS")
]
GrpcEngineOption: TypeAlias = Annotated[
    str | None, setting(NodeTable, "node", "grpc_engine", metavar="ENGINE")
]
NodeLogLevelOption: TypeAlias = Annotated[
    str | None, setting(NodeTable, "node", "log_level", metavar="LEVEL")
]
