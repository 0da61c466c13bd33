"""Options that are settings of the config's `[node]` and `[gateway]` as well."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import typer
from pydantic import ByteSize

from cache_core.config import ConfigError, NamedLayer, Settings, load
from cache_core.config.environment import SHORT, variable
from cache_core.settings import Table
from gateway.cli.failure import EXIT_USAGE, EXIT_WRONG, Failure

FLAGS: Final = {"cors_origins": "--cors-origin", "hosts": "--host"}
"""The options that are not named like their keys, by key."""

_TAG: Final = re.compile(r"\[(?=[a-z#/@])")
"""The text that help would take for Rich's markup; Rich's own escape takes 50 ms to import."""

Given: TypeAlias = tuple[str, object, tuple[str, str]]
"""An option's name, its value, and the table and key that it sets."""


def setting(
    table: type[Table],
    title: str,
    key: str,
    *,
    metavar: str | None = None,
    name: str | None = None,
    is_switch: bool = False,
) -> Any:  # noqa: ANN401 - as typer.Option
    """Return the option for `key` of `[title]`, whose help says what the table's model says.

    Its value is text, or None where the command line has none: `load_settings` validates it. A
    switch is two options, `--fast-lane` and `--no-fast-lane`, and a bool.
    """
    field = table.model_fields[key]
    variables = [variable(title, key), *(name for name in SHORT if (title, key) in SHORT[name])]
    default = _shown(field.get_default())
    description = f"{(field.description or '').replace('`', '')}.{default}"
    return typer.Option(
        f"{flag(key)}/{negated(key)}" if is_switch else name or flag(key),
        metavar=metavar,
        show_default=False,
        help=_TAG.sub(
            r"\\[",
            f"{description[:1].upper()}{description[1:]} ({title}.{key} in the config; "
            f"{' or '.join(variables)})",
        ),
    )


def flag(key: str) -> str:
    """Return the name of the option for a key."""
    return FLAGS.get(key, f"--{key.replace('_', '-')}")


def flags(**values: object) -> list[str]:
    """Return the options of a command line for `values`, by their keys; None is left out."""
    return [
        text
        for key, value in values.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
        for text in _flag(key, item)
    ]


def negated(key: str) -> str:
    """Return the name of the option that turns the switch of a key off."""
    return f"--no-{key.replace('_', '-')}"


def _flag(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (flag(key) if value else negated(key),)
    return flag(key), str(value)


def given(title: str, **values: object) -> Iterator[Given]:
    """Yield an option for each of `values`, which go by the keys of `[title]` that they set."""
    yield from ((flag(key), value, (title, key)) for key, value in values.items())


def load_settings(config: Path | None, *options: Given, with_groups: bool = True) -> Settings:
    """Return the settings of `options`, the environment and `config`. Raises Failure.

    Options count most; an option that is None was not given.
    """
    tree: dict[str, dict[str, object]] = {}
    names: dict[tuple[str, ...], str] = {}
    for name, value, (title, key) in options:
        if value is not None:
            tree.setdefault(title, {})[key] = value
            names[title, key] = name
    layer = NamedLayer(tree, names, are_options=True)
    try:
        return load(config, options=layer, with_groups=with_groups)
    except ConfigError as error:
        raise as_failure(error) from error


def as_failure(error: ConfigError) -> Failure:
    """Return the failure of a command whose settings have the mistakes that `error` names.

    Its exit status is EXIT_USAGE where all of them are in options, else EXIT_WRONG.
    """
    is_usage = all(problem.is_option for problem in error.problems)
    return Failure(str(error), exit_status=EXIT_USAGE if is_usage else EXIT_WRONG)


def _shown(default: object) -> str:
    """Return the words for `default`; "" for none, of which the key's description speaks."""
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return f" Default: {'on' if default else 'off'}."
    if isinstance(default, ByteSize):
        return f" Default: {default.human_readable().replace('.0', '')}."
    return f" Default: {f'{default:g}' if isinstance(default, float) else default}."
