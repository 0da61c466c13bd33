"""Memberships as a setting names them: `static://`, `dns://`, `etcd://`, or one address."""

from typing import Final
from urllib.parse import unquote

from cache_core.address import Address, InvalidAddress
from cache_core.cluster.member import MAX_WEIGHT, Member
from cache_core.membership.dns import DnsMembership
from cache_core.membership.membership import InvalidMembership, Membership
from cache_core.membership.static import StaticMembership

EXAMPLES: Final = {
    "static": "static://10.0.0.1:8080,10.0.0.2:8080*2",
    "dns": "dns://cache.default.svc:8080",
    "etcd": "etcd://10.0.0.1:2379,10.0.0.2:2379/gaocache",
}


def open_membership(url: str) -> Membership:
    """Return the membership that `url` names; nothing is connected yet.

    It is `static://a:1,b:2*3` (b with weight 3), `dns://name:port`, or
    `etcd://host:port[,host:port]/prefix`, with `user:password@`, percent-encoded, before the hosts
    if needed. Text without a scheme, such as a bare `host:port`, is static. Raises
    InvalidMembership, whose text never has the password.
    """
    scheme, separator, rest = url.partition("://")
    credentials, _, place = rest.rpartition("@")
    if not separator:
        scheme, place = "static", url
    if "@" in url and scheme != "etcd":
        raise _invalid("only etcd:// takes a user and password", "etcd")
    match scheme:
        case "static":
            return StaticMembership(_member(text) for text in place.split(","))
        case "dns":
            return DnsMembership(*_address(place, "dns"))
        case "etcd":
            return _etcd(credentials, place)
        case _:
            raise _invalid(f"unknown kind of membership {scheme!r}", *EXAMPLES)


def _etcd(credentials: str, place: str) -> Membership:
    hosts, _, path = place.partition("/")
    servers = [_address(text, "etcd") for text in hosts.split(",")]
    prefix = path.rstrip("/")
    if not prefix:
        raise _invalid("the prefix under which the members register is missing", "etcd")
    user, colon, password = credentials.partition(":")
    if credentials and not (user and colon and password):
        raise _invalid("a user needs a password", "etcd")
    try:
        from cache_core.membership.etcd.api import Credentials  # noqa: PLC0415 - an extra
        from cache_core.membership.etcd.membership import EtcdMembership  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "aetcd":
            raise
        words = "etcd:// needs the extra `etcd`: pip install 'gaocache[etcd]'"
        raise InvalidMembership(words) from error
    who = Credentials(unquote(user), unquote(password)) if credentials else None
    return EtcdMembership(servers, f"/{prefix}", credentials=who)


def _member(text: str) -> Member:
    address, _, _ = text.partition("*")
    _address(address, "static")
    try:
        return Member.parse(text)
    except InvalidAddress as error:
        words = f"the weight in {text!r} is not a whole number from 1 to {MAX_WEIGHT}"
        raise _invalid(words, "static") from error


def _address(text: str, kind: str) -> Address:
    try:
        address = Address.parse(text)
    except InvalidAddress as error:
        raise _invalid(f"{text!r} is no host:port", kind) from error
    if not address.port:
        raise _invalid(f"{text!r} has no port that others can reach", kind)
    return address


def _invalid(what: str, *kinds: str) -> InvalidMembership:
    return InvalidMembership(
        f"{what}; right is, for example, {' or '.join(EXAMPLES[kind] for kind in kinds)}"
    )
