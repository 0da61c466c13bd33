"""Which hosts a gateway answers for: RFC 9110, section 7.4 (misdirected requests). Pure.

A page whose name is made to resolve to this machine (DNS rebinding) is of the same origin as the
gateway, as far as a browser knows. Only its Host tells that it was meant for another.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from gateway.http.problems import Refused
from gateway.http.request_head import shortened

ALL: Final = "*"

_LOCAL: Final = re.compile(r"(?:[a-z0-9_-]+\.)*localhost")
_PORT: Final = re.compile(r":[0-9]*\Z")


class Hosts:
    """The hosts that requests may name: `names`, addresses, and names of this machine.

    Without `names`, or with `*` among them, any may be named; with `is_local`, where the gateway
    serves this machine alone, only `*` lets that be.
    """

    def __init__(self, names: Collection[str] = (), *, is_local: bool = False) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._has_all = ALL in self._names or not (names or is_local)

    def serve(self, host: str) -> bool:
        """Tell whether a request with the field `Host: host` is to be served.

        An address is: nobody else can make it lead here.
        """
        if self._has_all or not host:
            return True
        name = _PORT.sub("", host).lower().rstrip(".")
        return name in self._names or _LOCAL.fullmatch(name) is not None or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def host_not_served(host: str) -> Refused:
    """Return the refusal (421) of a request for `host`."""
    words = f"the gateway does not serve the host {shortened(host)!r}, its setting hosts says which"
    return Refused(421, "host-not-served", words)
