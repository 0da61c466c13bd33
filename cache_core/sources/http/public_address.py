"""Which addresses are anybody's on the internet, and which are of a network of one's own. Pure.

The registries of special-purpose addresses, RFC 6890; what embeds an IPv4 address in an IPv6 one:
RFC 4291 (mapped), 3056 (6to4), 4380 (Teredo), 6052 (NAT64).
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
"""What Python doesn't count as private in every version that we run on."""


def is_public(text: str) -> bool:
    """Tell whether the IP address `text` is public: no private, local, shared or reserved one.

    Nor a multicast one, nor a cloud's metadata service. An IPv6 address that stands for an IPv4
    one is judged by that as well.
    """
    address = ip_address(text)
    return all(
        one.is_global and not one.is_multicast and not any(one in more for more in _MORE)
        for one in _embedded(address)
    )


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the addresses to judge: mapped and 6to4 ones are only what they stand for."""
    if isinstance(address, IPv4Address):
        return [address]
    stands_for = address.ipv4_mapped or address.sixtofour
    if stands_for is not None:  # newer Pythons count all of 6to4's network as private
        return [stands_for]
    if address in _NAT64:
        return [address, IPv4Address(int(address) & 0xFFFF_FFFF)]
    return [address]
