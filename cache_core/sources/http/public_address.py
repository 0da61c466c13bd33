"""Telling public addresses on the internet from those of private networks. Pure.

RFC 6890 has the registries of special-purpose addresses. IPv6 addresses that embed an IPv4 one are
those of RFC 4291 (mapped), 3056 (6to4), 4380 (Teredo) and 6052 (NAT64).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_NAT64: Final = ip_network("64:ff9b::/96")
_MORE: Final = tuple(
    ip_network(text)
    for text in (
        "::/96",  # compatible with IPv4, deprecated by RFC 4291
        "168.63.129.16/32",  # a virtual machine's host at Azure, with its metadata
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata among them
        "192.88.99.0/24",  # 6to4's relays, deprecated by RFC 7526
        "64:ff9b:1::/48",  # NAT64 of a network's own, RFC 8215
        "fec0::/10",  # site-local, deprecated by RFC 3879
    )
)
"""Networks to refuse that some supported versions of Python do not count as private."""


def is_public(text: str) -> bool:
    """Tell whether the IP address `text` is public.

    Private, local, shared, reserved and multicast addresses are not, and neither are those of
    clouds' metadata services. An IPv6 address that stands for an IPv4 one is judged by the IPv4
    address: by that alone where it is a mapped or 6to4 one, by both where it is a NAT64 one.
    """
    address = ip_address(text)
    return all(
        one.is_global and not one.is_multicast and not any(one in more for more in _MORE)
        for one in _embedded(address)
    )


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the addresses to judge `address` by: itself, the IPv4 one it stands for, or both."""
    if isinstance(address, IPv4Address):
        return [address]
    stands_for = address.ipv4_mapped or address.sixtofour
    if stands_for is not None:  # newer Pythons count all of 6to4's network as private
        return [stands_for]
    if address in _NAT64:
        return [address, IPv4Address(int(address) & 0xFFFF_FFFF)]
    return [address]
