"""The layers that settings come from: the file, the environment and options, the last strongest."""

import itertools
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from cache_core.config.errors import Problem
from cache_core.config.lines import Keys, lines
from cache_core.config.substitution import Substitution


class Layer(Protocol):
    """The settings that come from one place."""

    @property
    def tree(self) -> Mapping[str, Any]:
        """The settings, as tables in tables."""

    def problem(self, keys: Keys, words: str, unquoted: str) -> Problem:
        """Return the problem of the value at `keys`, or of the value that is missing there.

        `unquoted` are the words without the value.
        """


@dataclass(frozen=True)
class FileLayer:
    """The settings of a TOML file; `toml` is its text, `substitution` what was replaced in it."""

    file: Path
    toml: bytes
    tree: Mapping[str, Any]
    substitution: Substitution

    def problem(self, keys: Keys, words: str, unquoted: str) -> Problem:
        """Return the problem with the line of the value, or of the table that should have it."""
        # Where text stands for a list, `keys` may lead on into it.
        names = self.substitution.names.get(_known_part(keys, self.substitution.names), ())
        words = unquoted if names and unquoted != words else self.substitution.hide(words)
        if names:
            words += f" (it is from {', '.join(f'${{{name}}}' for name in names)})"
        line = line_of(keys, self._lines)
        place = f"{self.file}:{line}" if line else str(self.file)
        return Problem(_joined(place, keys), words, order=line)

    @cached_property
    def _lines(self) -> Mapping[Keys, int]:
        return lines(self.toml)


@dataclass(frozen=True)
class NamedLayer:
    """The settings of variables or options; `names` are their names, by the keys they set."""

    tree: Mapping[str, Any]
    names: Mapping[Keys, str]
    are_options: bool = False

    def problem(self, keys: Keys, words: str, unquoted: str) -> Problem:  # noqa: ARG002 - a Layer's
        """Return the problem with the name of the variable or option that set `keys`.

        If none did, it is the one whose keys begin most like them.
        """
        near = max(self.names, key=lambda named: len(_shared(named, keys)))
        name = self.names[near]
        place = name if near == keys[: len(near)] else _joined(name, keys)
        return Problem(place, words, is_option=self.are_options)


@dataclass(frozen=True)
class Layers:
    """The layers of a configuration, `ordered` by how much they count, the strongest first."""

    ordered: Sequence[Layer] = field(default=())

    def problem(
        self, keys: Keys, words: str, *, unquoted: str = "", others: Iterable[Keys] = ()
    ) -> Problem:
        """Return the problem of the value at `keys`, named by the layer that it came from.

        That is the strongest layer with that value or with one of `others`, which are at odds with
        it. Where no layer has any, it is the weakest layer that has most of the way to it.
        """
        for layer in self.ordered:
            for given in (keys, *others):
                if _has(layer.tree, given):
                    return layer.problem(given, words, unquoted or words)
        for depth in range(len(keys) - 1, -1, -1):
            for layer in reversed(self.ordered):
                if depth == 0 and not isinstance(layer, FileLayer):
                    continue  # it has nothing on the way
                if _has(layer.tree, keys[:depth]):
                    return layer.problem(keys, words, unquoted or words)
        return Problem(".".join(keys), words)


def line_of(keys: Keys, known: Mapping[Keys, int]) -> int:
    """Return the line of `keys`, or of the longest beginning of them that is known, or 0."""
    return known.get(_known_part(keys, known), 0)


def _known_part(keys: Keys, known: Container[Keys]) -> Keys:
    """Return the longest beginning of `keys` that is `known`, () if none is."""
    beginnings = (keys[:depth] for depth in range(len(keys), 0, -1))
    return next((beginning for beginning in beginnings if beginning in known), ())


def _has(tree: object, keys: Keys) -> bool:
    """Tell whether there is a value at `keys` in `tree`, if only as a part of a longer text."""
    for key in keys:
        match tree:
            case {} if key in tree:
                tree = tree[key]
            case [*items] if key.isdecimal() and int(key) < len(items):
                tree = items[int(key)]
            case str():
                return True
            case _:
                return False
    return True


def _shared(one: Keys, other: Keys) -> Keys:
    """Return the keys that both begin with."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(key for key, _ in pairs)


def _joined(*parts: str | Keys) -> str:
    texts = (part if isinstance(part, str) else ".".join(part) for part in parts)
    return ": ".join(filter(None, texts))
