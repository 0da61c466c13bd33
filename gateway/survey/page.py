"""The page for a person who opens the gateway in a browser. Pure, and needs no script.

Every text that it is given is escaped, because a group may have any name.
"""

import base64
import re
import shlex
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import quote

from gateway.survey.figures import Figures
from gateway.survey.survey import Survey

_STATIC: Final = files("gateway") / "static"
_STYLE: Final = (_STATIC / "landing.css").read_text(encoding="utf-8")
_PAGE: Final = Template((_STATIC / "landing.html").read_text(encoding="utf-8"))
_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: its own style, its icon and its forms, and no more."""

_GROUP: Final = Template("""\
<li>
<h3><bdi>$name</bdi></h3>
<p class="faint">$figures</p>
<form action="$action">
<label for="$id">Key<span class="unseen"> in $name</span></label>
<input id="$id" name="key" required autocomplete="off" autocapitalize="off" spellcheck="false">
<button>Look up</button>
</form>
</li>""")

_ORIGIN: Final = re.compile(r"https?://[0-9A-Za-z._\[\]:-]+")
_ANY_ORIGIN: Final = "http://localhost:8000"

_NO_NODE: Final = """\
<p>No node answers, so there is nothing to get now. Start one with <code>gaocache up</code> or
<code>gaocache node</code>, or start the gateway with the address of one that runs:
<code>gaocache gateway --node HOST:PORT</code>. Then load this page again.</p>"""
_NO_GROUP: Final = """\
<p>The nodes have no groups yet. Describe one in <code>[groups.NAME]</code> of
<code>gaocache.toml</code>, and start the nodes with <code>--config gaocache.toml</code>.</p>"""


def page(seen: Survey, origin: str) -> str:
    """Return the HTML for the survey `seen`; `origin` is the gateway's, as `http://host:port`."""
    groups = seen.groups
    silent = {row.node: row.error for row in seen.rows if row.error is not None}
    parts = [_silent(silent)] if silent else []
    if not any(row.info for row in seen.rows):
        parts.append(_note(_NO_NODE))
    elif not groups:
        parts.append(_note(_NO_GROUP))
    else:
        items = [_group(number, *named) for number, named in enumerate(groups.items())]
        parts.append("\n".join(['<ul class="groups">', *items, "</ul>"]))
    example = next(iter(groups), "GROUP")
    at = origin if _ORIGIN.fullmatch(origin) else _ANY_ORIGIN
    return _PAGE.substitute(
        style=_STYLE,
        groups="\n".join(parts),
        curl=escape(f"curl {shlex.quote(f'{at}{_keys(example)}/KEY')}"),
    )


def _group(number: int, name: str, figures: Figures) -> str:
    return _GROUP.substitute(
        name=escape(name) or "(without a name)",
        figures=escape(_sentence(figures)),
        action=escape(_keys(name)),
        id=f"key-{number}",
    )


def _keys(group: str) -> str:
    return f"/groups/{quote(group, safe='')}/keys"


def _sentence(figures: Figures) -> str:
    """Return a group's figures in a line."""
    entries = f"{figures.entries:,} {'entry' if figures.entries == 1 else 'entries'}"
    hits = figures.hits + figures.hot_hits
    gets = hits + figures.misses
    if not gets:
        return f"{entries}, not asked for anything yet"
    return f"{entries}, {hits / gets:.1%} of {gets:,} {'get' if gets == 1 else 'gets'} were hits"


def _silent(silent: Mapping[str, str]) -> str:
    items = "".join(
        f"<li><bdi>{escape(node)}</bdi>: {escape(why)}</li>" for node, why in silent.items()
    )
    return _note(f"<p>No answer from:</p><ul>{items}</ul>")


def _note(inside: str) -> str:
    return f'<div class="note" role="status">{inside}</div>'
