"""What is wrong in a configuration, a line each, with its place."""

from typing import NamedTuple


class Problem(NamedTuple):
    """Where something is wrong, and the words for it; `order` puts those of a file in its order."""

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
    """All that is wrong in a configuration, a line each."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.order))
        super().__init__("\n".join(dict.fromkeys(map(str, self.problems))))
