"""A member of a cluster: its address, which is its name, and its weight. Opens no socket."""

import re
from typing import Final, NamedTuple, Self

from cache_core.address import Address, InvalidAddress

MAX_WEIGHT: Final = 100

_WEIGHT: Final = re.compile(r"[1-9][0-9]{0,2}")


class Member(NamedTuple):
    """A node by the address at which others reach it, `host:port`; the address is its name.

    A member of weight 2 owns twice as many keys as one of weight 1.
    """

    name: str
    weight: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the member that `host:port` or `host:port*weight` names.

        Raises InvalidAddress.
        """
        address, star, weight = text.partition("*")
        if star and not (_WEIGHT.fullmatch(weight) and int(weight) <= MAX_WEIGHT):
            raise InvalidAddress(text)
        return cls(str(Address.parse(address)), int(weight or 1))

    def __str__(self) -> str:
        return self.name if self.weight == 1 else f"{self.name}*{self.weight}"
