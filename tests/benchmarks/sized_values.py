"""The source of the nodes under measurement: the value of the key `100/17` has 100 bytes."""

from collections.abc import Mapping, Sequence

CONFIG_TARGET = "sized_values:Sized"


class Sized:
    """Values made of their keys, ASCII and of the size that the key begins with."""

    async def retrieve(self, key: str) -> bytes | None:
        return sized_value(key)

    async def retrieve_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        found = {key: sized_value(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}


def sized_value(key: str) -> bytes | None:
    """Return the value of `key`, None where it doesn't begin with a size."""
    size, slash, _ = key.partition("/")
    if not slash or not size.isdecimal():
        return None
    unit = f"{key}.".encode()
    return (unit * (int(size) // len(unit) + 1))[: int(size)]
