"""The project's documents, and the parts of them that tests run and compare."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

NAMES = sorted(
    str(file.relative_to(ROOT))
    for folder in (".", ".github", "cache_core", "gateway", "openapi", "protos", "tests")
    for file in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)
"""The paths of all documents below ROOT."""


def document(name: str) -> str:
    """Return the text of the document at the path `name`."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """Return what `text` has under the heading `title`, up to the next heading of its level."""
    level, after = re.split(rf"^(##+) {re.escape(title)}\n", text, maxsplit=1, flags=re.MULTILINE)[
        1:
    ]
    return re.split(rf"^#{{2,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of `text` that are in `language`; "" is those of none."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL)


def rows(text: str, head: str) -> list[list[str]]:
    """Return the cells of each row of the table in `text` whose first line begins with `head`."""
    _, found, after = text.partition(f"\n{head}")
    assert found, f"no table begins with {head}"
    lines = after.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
