"""Options of a gateway, for `gaocache gateway` and for `gaocache up`, which starts one."""

from typing import Annotated, TypeAlias

from cache_core.config import GatewayTable
from gateway.cli.options.settings import setting
from gateway.http.limits import Limits

RequestTimeoutOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "timeout", metavar="SECONDS")
]
MaxTimeoutOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "max_timeout", metavar="SECONDS")
]
KeepAliveOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "keep_alive", metavar="SECONDS")
]
ReceiveTimeoutOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "receive_timeout", metavar="SECONDS")
]
SendTimeoutOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "send_timeout", metavar="SECONDS")
]
MaxConnectionsOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "max_connections", metavar="N")
]
TotalConnectionMemoryOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "total_connection_memory", metavar="SIZE")
]
CorsRemovalOption: TypeAlias = Annotated[
    bool | None, setting(GatewayTable, "gateway", "cors_removal", is_switch=True)
]
HostOption: TypeAlias = Annotated[
    list[str] | None, setting(GatewayTable, "gateway", "hosts", metavar="NAME")
]
HeaderBytesOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "header_bytes", metavar="SIZE")
]
NearCacheOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "near_cache", metavar="SIZE")
]
CorsOriginOption: TypeAlias = Annotated[
    list[str] | None, setting(GatewayTable, "gateway", "cors_origins", metavar="ORIGIN")
]
FastLaneOption: TypeAlias = Annotated[
    bool | None, setting(GatewayTable, "gateway", "fast_lane", is_switch=True)
]
GatewayLogLevelOption: TypeAlias = Annotated[
    str | None, setting(GatewayTable, "gateway", "log_level", metavar="LEVEL")
]


def limits_of(table: GatewayTable) -> Limits:
    """Return the limits that the table `[gateway]` sets."""
    return Limits(
        timeout=table.timeout,
        max_timeout=table.max_timeout,
        receive_timeout=table.receive_timeout,
        keep_alive=table.keep_alive,
        send_timeout=table.send_timeout,
        max_connections=table.max_connections,
        answer_memory=table.total_connection_memory // 2,
        request_memory=table.total_connection_memory // 2,
        header_bytes=table.header_bytes,
    )
