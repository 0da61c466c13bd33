"""Addresses of nodes and gateways: `host:port`. Opens no socket."""

import ipaddress
import re
from typing import Final, NamedTuple, Self

DEFAULT_ADDRESS: Final = "127.0.0.1:8080"
"""Where a node listens, and where a client asks, if it is given no other address."""

_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_MAX_NAME = 253
_MAX_PORT = 65535


class InvalidAddress(ValueError):
    """The text is no `host:port`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid addr {text}, it should be x.x.x.x:port")


class Address(NamedTuple):
    """A host (an IPv4 address, a DNS name, or an IPv6 address without brackets) and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that `text` names: `1.2.3.4:80`, `name:80` or `[::1]:80`.

        Port 0 asks the system for a free one. Raises InvalidAddress.
        """
        host, _, port = text.rpartition(":")
        if not (_PORT.fullmatch(port) and int(port) <= _MAX_PORT):
            raise InvalidAddress(text)
        bracketed = host.startswith("[") and host.endswith("]")
        host = host[1:-1] if bracketed else host
        if not (_is_ipv6(host) if bracketed else _is_ipv4(host) or _is_name(host)):
            raise InvalidAddress(text)
        return cls(host, int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _is_ipv6(host: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False


def _is_ipv4(host: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(host))
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    """Tell whether `host` is a DNS name (RFC 1123, section 2.1).

    A name whose last label is a number is refused, because it is a mistyped IPv4 address.
    """
    labels = host.removesuffix(".").split(".")
    return (
        len(host) <= _MAX_NAME
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
