"""A caller's address as pygrpc-native has it, in the form that grpcio has it in."""

from ipaddress import IPv6Address
from urllib.parse import quote


def name_of(peer: str) -> str:
    """Return what grpcio calls `peer`.

    IPv4 callers of an IPv6 socket are IPv4 callers, and IPv6's brackets are percent-encoded:
    `ipv4:127.0.0.1:5`, `ipv6:%5B::1%5D:5`.
    """
    host, separator, port = peer.removeprefix("ipv6:").rpartition(":")
    if not (separator and peer.startswith("ipv6:[")):
        return peer
    mapped = IPv6Address(host[1:-1].partition("%")[0]).ipv4_mapped
    return f"ipv6:{quote(host, safe=':')}:{port}" if mapped is None else f"ipv4:{mapped}:{port}"
