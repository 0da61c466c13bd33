"""Reading the configuration: defaults, file, environment, options; later ones count more."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from cache_core.config.environment import read_environment
from cache_core.config.errors import ConfigError, Problem
from cache_core.config.explanation import explain
from cache_core.config.layers import FileLayer, Layer, Layers, NamedLayer
from cache_core.config.substitution import Substitution
from cache_core.config.tables import Settings

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_CHOICE: Final = ("node", "peers")
"""The two keys that name the nodes for the gateway to ask."""

NO_OPTIONS: Final = NamedLayer({}, {}, are_options=True)


def load(
    path: Path | None,
    *,
    environ: Mapping[str, str] | None = None,
    options: NamedLayer = NO_OPTIONS,
    with_groups: bool = True,
) -> Settings:
    """Return the settings in the TOML file at `path`, in the environment and in `options`.

    `${NAME}` in the file's strings is the environment's variable. With a file there has to be a
    group, in it or in the environment. Without `with_groups` there are no groups, and the variables
    that the file's groups name are not needed. Raises ConfigError with all mistakes.
    """
    environ = os.environ if environ is None else environ
    files: list[Layer] = [] if path is None else [_read(path, environ, with_groups=with_groups)]
    groups = files[0].tree.get("groups") if files else None
    named = read_environment(environ, groups if isinstance(groups, dict) else ())
    if not with_groups:
        named = NamedLayer({**named.tree, "groups": {}}, named.names)
    layers = Layers([options, named, *files])
    problems = [
        layer.problem(keys, words, words)
        for layer in files
        if isinstance(layer, FileLayer)
        for keys, words in layer.substitution.problems
    ]
    settings, found = _validate(layers, with_groups=with_groups and path is not None)
    unset = {problem.place for problem in problems}
    problems += (problem for problem in found if problem.place not in unset)
    if problems or settings is None:
        raise ConfigError(*problems)
    return settings


def _validate(layers: Layers, *, with_groups: bool) -> tuple[Settings | None, Sequence[Problem]]:
    trees = _without_weaker_choice([layer.tree for layer in layers.ordered])
    try:
        settings = _layered(trees)()
    except ValidationError as error:
        return None, list(_problems(layers, error))
    if with_groups and not settings.groups:
        return None, [layers.problem(("groups",), "it is missing")]
    settings._layers = layers  # noqa: SLF001 - it is made here
    return settings, ()


def _problems(layers: Layers, error: ValidationError) -> Iterator[Problem]:
    for one in error.errors(include_url=False, include_input=False):
        found = explain(one)
        yield layers.problem(found.keys, found.words, unquoted=found.unquoted, others=found.others)


def _layered(layers: Sequence[Mapping[str, Any]]) -> type[Settings]:
    """Return Settings made of `layers`, of which the earlier ones count more."""

    class LayeredSettings(Settings):
        trees: ClassVar[Sequence[Mapping[str, Any]]] = layers

    return LayeredSettings


def _without_weaker_choice(trees: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return `trees`, in which only the first that names the gateway's nodes still does."""
    left: list[Mapping[str, Any]] = []
    is_said = False
    for tree in trees:
        table = tree.get("gateway")
        if not isinstance(table, dict):
            left.append(tree)
            continue
        rest = {key: value for key, value in table.items() if key not in _CHOICE}
        left.append({**tree, "gateway": rest} if is_said else tree)
        is_said = is_said or len(rest) < len(table)
    return left


def _read(path: Path, environ: Mapping[str, str], *, with_groups: bool) -> FileLayer:
    """Return the file as a layer. Raises ConfigError."""
    try:
        toml = path.read_bytes()
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it can't be read"
        raise ConfigError(Problem(str(path), words)) from error
    tree = _parse(toml, path)
    if not with_groups:
        tree.pop("groups", None)
    substitution = Substitution(environ)
    try:
        return FileLayer(path, toml, substitution.replace(tree), substitution)
    except RecursionError as error:
        raise ConfigError(Problem(str(path), "it is nested too deeply")) from error


def _parse(toml: bytes, path: Path) -> dict[str, Any]:
    """Return the file's tables. Raises ConfigError."""
    try:
        return tomllib.loads(toml.decode())
    except UnicodeDecodeError as error:
        line, words = toml.count(b"\n", 0, error.start) + 1, "it should be UTF-8"
    except ValueError as error:
        found = _PLACE.search(str(error))
        last = len(toml.splitlines()) or 1
        line = 0 if found is None else int(found[1] or last)
        words = _PLACE.sub("", str(error))
    except RecursionError:
        line, words = 0, "it is nested too deeply"
    raise ConfigError(Problem(f"{path}:{line}" if line else str(path), words))
