"""The replacement of `${NAME}` in a file's strings by the environment's variables."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from cache_core.config.lines import Keys

_MARK: Final = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<malformed>\$\{)"
)
MALFORMED: Final = "it should be ${NAME} or ${NAME:-default}; write $${ for ${ itself"

SHORTEST_SECRET: Final = 4
"""The fewest characters of a secret; shorter text stands in too many words by chance."""


class Substitution:
    """Replaces `${NAME}` by the variable, `${NAME:-default}` by the default where it is unset.

    A default also stands for an empty variable; `$${` stands for `${`. `names` are the variables in
    each value, by its keys. `problems` are the mistakes, as keys and words; the words never have a
    variable's value.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.names: dict[Keys, tuple[str, ...]] = {}
        self.problems: list[tuple[Keys, str]] = []

    def replace(self, value: Any, keys: Keys = ()) -> Any:  # noqa: ANN401 - of a TOML file
        """Return `value`, which stands at `keys`, with every string in it replaced."""
        match value:
            case str():
                return self._replace_in(value, keys)
            case dict():
                return {key: self.replace(item, (*keys, key)) for key, item in value.items()}
            case list():
                return [self.replace(item, (*keys, str(at))) for at, item in enumerate(value)]
            case _:
                return value

    def hide(self, words: str) -> str:
        """Return `words` with `${NAME}` in place of each value of a variable that was used."""
        names = sorted({name for names in self.names.values() for name in names})
        values = [(self._environ.get(name, ""), name) for name in names]
        # The longest first: where a shorter one is a part of it, the rest of it would stay.
        for value, name in sorted(values, key=lambda pair: len(pair[0]), reverse=True):
            if len(value) >= SHORTEST_SECRET:
                words = words.replace(value, f"${{{name}}}")
        return words

    def _replace_in(self, text: str, keys: Keys) -> str:
        names: list[str] = []
        known = len(self.problems)
        replaced = _MARK.sub(self._replacer(keys, names), text)
        if names and len(self.problems) == known:
            self.names[keys] = tuple(dict.fromkeys(names))
        return replaced

    def _replacer(self, keys: Keys, names: list[str]) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            if match["escape"]:
                return "${"
            if match["malformed"]:
                self.problems.append((keys, MALFORMED))
                return ""
            name, default = match["name"], match["default"]
            value = self._environ.get(name)
            if not value and default is not None:
                return default
            if value is None:
                words = f"the environment has no {name}; set it, or write ${{{name}:-default}}"
                self.problems.append((keys, words))
                return ""
            names.append(name)
            return value

        return replace
