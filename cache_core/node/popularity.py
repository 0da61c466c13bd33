"""Estimates of how often keys were asked for lately. Knows no values and no clock.

Einziger, Friedman, Manes: TinyLFU, a highly efficient cache admission policy (ACM Transactions
on Storage, 2017): a count-min sketch with conservative updates, halved every so often.
"""

from typing import Final

MAX_WIDTH: Final = 1 << 16
"""The widest row: 16 bits of a key's hash are its place in a row, and three rows take 48."""

MAX_COUNT: Final = 15
"""The highest count, so that even the most popular key is forgotten in four halvings."""

_HALVED: Final = bytes(count // 2 for count in range(256))


class Popularity:
    """Counts keys in three times `width` bytes; `width` is rounded up to a power of two.

    All counts are halved after each `width` bumps. A key's count, up to MAX_COUNT, is no lower than
    its bumps since then. It is higher where other keys share all of its cells: of the keys that
    were asked for once, fewer than 1 in 100 have a count of 3.
    """

    __slots__ = ("_bumps", "_cells", "_mask", "_width")

    def __init__(self, width: int) -> None:
        self._width = 1 << (min(max(width, 1), MAX_WIDTH) - 1).bit_length()
        self._mask = self._width - 1
        self._cells = bytearray(3 * self._width)
        self._bumps = 0

    def bump(self, key: str) -> int:
        """Count that `key` was asked for, and return its count."""
        self._bumps += 1
        if self._bumps == self._width:
            self._bumps = 0
            self._cells = self._cells.translate(_HALVED)
        cells = self._cells
        first, second, third = self._places(key)
        count = min(cells[first], cells[second], cells[third])
        if count == MAX_COUNT:
            return count
        for place in (first, second, third):
            if cells[place] == count:
                cells[place] = count + 1
        return count + 1

    def count(self, key: str) -> int:
        """Return about how often `key` was asked for lately."""
        cells = self._cells
        first, second, third = self._places(key)
        return min(cells[first], cells[second], cells[third])

    def _places(self, key: str) -> tuple[int, int, int]:
        bits, mask, width = hash(key), self._mask, self._width
        return bits & mask, width + (bits >> 16 & mask), 2 * width + (bits >> 32 & mask)
