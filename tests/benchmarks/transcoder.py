"""Envoy's grpc_json_transcoder in front of a node: its config, and the annotated contract."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

PROTO: Final = Path(__file__).parents[2] / "protos" / "gaocache.proto"
SERVICE: Final = "gaocachepb.Gaocache"
CALL: Final = "rpc Get(GetRequest) returns (GetResponse);"
ANNOTATED: Final = """\
rpc Get(GetRequest) returns (GetResponse) {
    option (google.api.http) = { get: "/groups/{group}/keys/{key=**}" };
  }"""
EXTENSIONS: Final = "type.googleapis.com/envoy.extensions."


def write_config(folder: Path, port: int, node_port: int) -> Path:
    """Write to `folder` what Envoy needs to answer GETs at `port` by the node's Get."""
    contract = _write_descriptors(folder)
    file = folder / "envoy.json"
    file.write_text(json.dumps(_config(contract, port, node_port)))
    return file


def _write_descriptors(folder: Path) -> Path:
    proto, made = folder / "annotated.proto", folder / "annotated.pb"
    before, service, after = PROTO.read_text().partition("service Gaocache {")
    imported = 'package gaocachepb;\nimport "google/api/annotations.proto";\n'
    before = before.replace("package gaocachepb;\n", imported)
    proto.write_text(before + service + after.replace(CALL, ANNOTATED))
    google = find_spec("google.api")
    if google is None or not google.submodule_search_locations:
        raise FileNotFoundError("google.api is missing: pip install 'gaocache[bench]'")
    included = Path(next(iter(google.submodule_search_locations))).parents[1]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"-I{included}"]
    command += ["--include_imports", f"--descriptor_set_out={made}", str(proto)]
    subprocess.run(command, check=True)
    return made


def _config(contract: Path, port: int, node_port: int) -> dict[str, Any]:
    http2 = {
        "@type": f"{EXTENSIONS}upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    manager = {
        "@type": f"{EXTENSIONS}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "http_filters": [
            _typed("grpc_json_transcoder", "filters.http", _transcoder(contract)),
            _typed(
                "router", "filters.http", {"@type": f"{EXTENSIONS}filters.http.router.v3.Router"}
            ),
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "node"}}],
                }
            ]
        },
    }
    listener = {
        "address": _address(port),
        "filter_chains": [
            {"filters": [_typed("http_connection_manager", "filters.network", manager)]}
        ],
    }
    cluster = {
        "name": "node",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2
        },
        "load_assignment": {
            "cluster_name": "node",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(node_port)}}]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _transcoder(contract: Path) -> dict[str, Any]:
    return {
        "@type": f"{EXTENSIONS}filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(contract),
        "services": [SERVICE],
        "max_response_body_size": 8 * 1024 * 1024,
    }


def _typed(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"envoy.{kind}.{name}", "typed_config": config}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
