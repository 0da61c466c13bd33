"""The types of values in `[node]` and `[gateway]`, and the words for a value of no such type."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, InstanceOf, SecretStr

from cache_core.address import Address, InvalidAddress
from cache_core.loading.retriever import InvalidSource
from cache_core.membership.membership import InvalidMembership
from cache_core.membership.url import EXAMPLES, open_membership
from cache_core.rpc.engine import LEAST_CONNECTION_MEMORY
from cache_core.settings import Seconds, Size
from cache_core.valkey.url import parse_url

MAX_SECONDS: Final = 86_400
"""A day in seconds, the longest time that is taken: timers fail near infinity."""

KIB: Final = 1024
ALL_ORIGINS: Final = "*"

ADDRESS: Final = "it should be HOST:PORT, like 127.0.0.1:8080"
PEERS: Final = f"it should be like {', '.join(EXAMPLES.values())}"
ORIGIN: Final = "it should be like https://app.example.com, in lower case, or *"

HOST: Final = "it should be a name like cache.example.com, without a port, or *"
LEAST_TOTAL_MEMORY: Final = 32 * KIB * KIB

_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s,*]+")


class Unfit(ValueError):
    """A value is not what it should be; `unquoted` are the words without the value."""

    def __init__(self, words: str, unquoted: str) -> None:
        super().__init__(words)
        self.unquoted = unquoted


def _parse_address(given: object) -> Address:
    if isinstance(given, Address):
        return given
    if not isinstance(given, str):
        raise ValueError(ADDRESS)  # noqa: TRY004 - a ValueError is what pydantic reports
    try:
        return Address.parse(given)
    except InvalidAddress as error:
        words = f"{error} (or name:port, or [IPv6]:port, the port at most 65535)"
        raise Unfit(words, ADDRESS) from error


def _check_port(address: Address) -> Address:
    if not address.port:
        raise Unfit(f"{address} has no port", "it has no port")
    return address


def _check_peers(given: SecretStr) -> SecretStr:
    try:
        open_membership(given.get_secret_value())
    except InvalidMembership as error:
        raise Unfit(str(error), PEERS) from error
    return given


def _split(given: object) -> object:
    return given.split() if isinstance(given, str) else given


def _check_origin(given: str) -> str:
    if given != ALL_ORIGINS and not _ORIGIN.fullmatch(given):
        raise Unfit(f"{given!r} should be{ORIGIN.removeprefix('it should be')}", ORIGIN)
    return given


def _check_host(given: str) -> str:
    if given != ALL_ORIGINS and not _HOST.fullmatch(given):
        raise Unfit(f"{given!r} should be{HOST.removeprefix('it should be')}", HOST)
    return given


def _check_total(given: ByteSize) -> ByteSize:
    if given < LEAST_TOTAL_MEMORY:
        raise ValueError("it should be at least 32MiB")
    return given


def _check_header_bytes(given: ByteSize) -> ByteSize:
    if not KIB <= given <= KIB * KIB:
        raise ValueError("it should be from 1KiB to 1MiB")
    return given


def _check_connection_room(given: ByteSize) -> ByteSize:
    if given < LEAST_CONNECTION_MEMORY:
        raise ValueError("it should be at least 5MiB, for a value may have 4MiB")
    return given


def _check_tier(given: SecretStr) -> SecretStr:
    try:
        parse_url(given.get_secret_value())
    except InvalidSource as error:
        raise ValueError(str(error)) from None  # it has no part of the URL
    return given


Listen: TypeAlias = Annotated[InstanceOf[Address], BeforeValidator(_parse_address)]
"""`host:port`, where port 0 takes a free one."""

At: TypeAlias = Annotated[Listen, AfterValidator(_check_port)]
"""`host:port` that others can reach."""

PeersUrl: TypeAlias = Annotated[SecretStr, AfterValidator(_check_peers)]
"""A text for `open_membership`; a secret, because it may have a password."""

Origins: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_check_origin)], ...], BeforeValidator(_split)
]
"""A list of origins, or text with spaces between them."""

HostNames: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_check_host)], ...], BeforeValidator(_split)
]
"""A list of names of hosts, or text with spaces between them."""

TotalRoom: TypeAlias = Annotated[Size, AfterValidator(_check_total)]

TierUrl: TypeAlias = Annotated[SecretStr, AfterValidator(_check_tier)]

ConnectionRoom: TypeAlias = Annotated[Size, AfterValidator(_check_connection_room)]

HeaderBytes: TypeAlias = Annotated[Size, AfterValidator(_check_header_bytes)]

Pause: TypeAlias = Annotated[Seconds, Field(le=MAX_SECONDS)]
Wait: TypeAlias = Annotated[Seconds, Field(ge=0.001, le=MAX_SECONDS)]
