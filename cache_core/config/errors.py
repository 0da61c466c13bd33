"""The mistakes of a configuration, each a line with its place."""

from typing import NamedTuple


class Problem(NamedTuple):
    """A mistake: its place and the words for it; `order` sorts a file's mistakes as they stand.

    `is_option` tells that the place is an option of a command.
    """

    place: str
    words: str
    order: int = 0
    is_option: bool = False

    def __str__(self) -> str:
        line = f"{self.place}: {self.words}" if self.place else self.words
        return "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
        )


class ConfigError(Exception):
    """A configuration has mistakes: `problems` are all of them, the text has a line for each."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.order))
        super().__init__("\n".join(dict.fromkeys(map(str, self.problems))))
