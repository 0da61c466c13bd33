"""What a get returns and what travels between nodes."""

from typing import NamedTuple


class Value(NamedTuple):
    """A key's bytes, immutable; empty bytes are a value like any other."""

    data: bytes
