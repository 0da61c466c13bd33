"""The URL of a Valkey or Redis in a setting: `valkey://user:password@host:port/0`."""

from typing import Final, NamedTuple
from urllib.parse import unquote

from cache_core.address import Address, InvalidAddress
from cache_core.loading.retriever import InvalidSource

SCHEMES: Final = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}
"""Whether each scheme means TLS."""

DEFAULT_PORT: Final = 6379
EXAMPLE: Final = "valkey://user:password@host:6379/0"


class StoreUrl(NamedTuple):
    """The address of a store; several hosts are ways into one Cluster."""

    hosts: tuple[Address, ...]
    database: int = 0
    tls: bool = False
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"StoreUrl({','.join(map(str, self.hosts))})"


def parse_url(url: str) -> StoreUrl:
    """Return the store at `scheme://[user:password@]host[:port][,host[:port]…][/database]`.

    User and password are percent-encoded. Raises InvalidSource, which repeats no part of the URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise InvalidSource("url", f"it should begin with one of {known}")
    credentials, _, place = rest.rpartition("@")
    hosts, _, database = place.partition("/")
    if database and not (database.isascii() and database.isdigit()):
        raise _invalid("what follows the last / should be the database's number")
    user, _, password = credentials.partition(":")
    if credentials and not password:
        raise _invalid("a user needs a password")
    return StoreUrl(
        tuple(_address(host) for host in hosts.split(",")),
        int(database or 0),
        SCHEMES[scheme],
        unquote(user) or None,
        unquote(password) or None,
    )


def _address(text: str) -> Address:
    has_port = text.rpartition(":")[2].isdigit() and not text.endswith("]")
    try:
        address = Address.parse(text if has_port else f"{text}:{DEFAULT_PORT}")
    except InvalidAddress:
        # No error repeats the host, because it may be a part of a password that is not encoded.
        raise _invalid("it has a host that is none") from None
    if not address.port:
        raise _invalid("the port should be from 1 to 65535")
    return address


def _invalid(what: str) -> InvalidSource:
    return InvalidSource("url", f"{what}; right is, for example, {EXAMPLE}")
