"""The config that `gaocache init` writes."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

import tomlkit
from sqlalchemy.engine import URL
from tomlkit.items import Table

from cache_core.config.tables import DEFAULT_GATEWAY
from cache_core.sources.sql.inspection import Found, Proposed

PASSWORD_VARIABLE: Final = "DATABASE_PASSWORD"  # noqa: S105 - its name, not what it holds
TTL: Final = "60s"


def config_url(url: URL, here: Path, folder: Path) -> str:
    """Return the URL for a config in `folder`, with a variable in place of its password.

    A relative SQLite path starts at `here` in `url`, and at `folder` in the URL that is returned.
    """
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_absolute():
        url = url.set(database=os.path.relpath(here / str(url.database), folder))
    if url.password is None:
        return _escaped(url.render_as_string())
    stand_in = uuid4().hex  # it needs no escapes, but the variable's braces would
    rendered = _escaped(url.set(password=stand_in).render_as_string(hide_password=False))
    return rendered.replace(stand_in, f"${{{PASSWORD_VARIABLE}}}")


def config_text(found: Found, url: str, has_password: bool) -> str:
    """Return the config with all groups found, whose sources have the URL `url`."""
    document = tomlkit.document()
    for line in _introduction(has_password=has_password):
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    groups = tomlkit.table(is_super_table=True)
    for proposed in found.groups:
        groups.add(proposed.name, _group(proposed, url))
    document.add("groups", groups)
    if found.left_out:
        document.add(tomlkit.nl())
    for table, why in found.left_out:
        document.add(tomlkit.comment(f"Left out: {printable(table)}, {printable(why)}."))
    return tomlkit.dumps(document)


def _introduction(has_password: bool) -> list[str]:
    lines = [
        "A group for each table that has a primary key: its rows, as JSON, by that key.",
        "Made by `gaocache init`; it is yours to change.",
    ]
    if has_password:
        lines.append(
            f"The database's password comes from the variable {PASSWORD_VARIABLE}, "
            "percent-encoded as in a URL."
        )
    return lines


def _group(proposed: Proposed, url: str) -> Table:
    group = tomlkit.table()
    group.add(tomlkit.comment(curl(proposed)))
    group.add("ttl", TTL)
    group["ttl"].comment("how long a row is answered before the database is asked again")
    source = tomlkit.table()
    source.add("kind", "sql")
    source.add("url", url)
    source.add("table", _table_name(proposed.source.table or ()))
    source.add("key_column", _one_or_all(proposed.source.key_column or ()))
    group.add("source", source)
    return group


def _escaped(text: str) -> str:
    """Return `text` escaped for a config's string, so that nothing in it names a variable."""
    return text.replace("${", "$${")


def _table_name(names: tuple[str, ...]) -> str | list[str]:
    """Return the table's name in its shortest form: a list only where a part has a dot."""
    names = tuple(map(_escaped, names))
    return list(names) if any("." in name for name in names) else ".".join(names)


def _one_or_all(names: tuple[str, ...]) -> str | list[str]:
    names = tuple(map(_escaped, names))
    return names[0] if len(names) == 1 else list(names)


def curl(proposed: Proposed) -> str:
    """Return a curl command for a row: the example, or else the key's columns in capitals."""
    source = proposed.source
    parts = proposed.example or tuple(name.upper() for name in source.key_column or ())
    key = source.key_separator.join(quote(part, safe="") for part in parts)
    return f"curl -s http://{DEFAULT_GATEWAY}/groups/{quote(proposed.name, safe='')}/keys/{key}"


def printable(text: str) -> str:
    """Return `text` as it can stand in a line, its unprintable characters as escapes."""
    return text if text.isprintable() else repr(text)[1:-1]
