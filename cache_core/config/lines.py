"""The line of each key in a TOML file, which tomllib has to be able to read."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Keys: TypeAlias = tuple[str, ...]
"""The keys to a value, from the file's top down; a place in an array is a key as well."""

_TABLES: Final = frozenset({"table", "table_array_element"})
_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})


def lines(toml: bytes) -> Mapping[Keys, int]:
    """Return the line, from 1 on, where each key of `toml` first stands, alone or within others."""
    found: dict[Keys, int] = {}
    root = Parser(Language(tree_sitter_toml.language())).parse(toml).root_node
    for node in root.named_children:
        if node.type in _TABLES:
            above = _enter(node, (), found)
            for child in node.named_children:
                _note(child, above, found)
        else:
            _note(node, (), found)
    return found


def _note(node: Node, above: Keys, found: dict[Keys, int]) -> None:
    """Note the keys of a pair, and of the tables and arrays in its value."""
    if node.type == "pair":
        _note_value(node.named_children[-1], _enter(node, above, found), found)


def _note_value(value: Node, keys: Keys, found: dict[Keys, int]) -> None:
    if value.type == "inline_table":
        for pair in value.named_children:
            _note(pair, keys, found)
    elif value.type == "array":
        items = (child for child in value.named_children if child.type != "comment")
        for index, item in enumerate(items):
            found.setdefault((*keys, str(index)), item.start_point.row + 1)
            _note_value(item, (*keys, str(index)), found)


def _enter(node: Node, above: Keys, found: dict[Keys, int]) -> Keys:
    """Note the key that `node` begins with, and its parts; return the keys to its value."""
    line = node.start_point.row + 1
    keys = above
    for part in _parts(node.named_children[0]):
        keys = (*keys, part)
        found.setdefault(keys, line)
    return keys


def _parts(key: Node) -> Iterator[str]:
    """Yield the parts of a key. No recursion, because a dotted key nests as deep as it is long."""
    waiting = [key]
    while waiting:
        node = waiting.pop()
        if node.type == "dotted_key":
            waiting += (child for child in reversed(node.named_children) if child.type in _KEYS)
        elif node.text is not None:
            text = node.text.decode()
            yield next(iter(tomllib.loads(f"{text} = 0"))) if node.type == "quoted_key" else text
