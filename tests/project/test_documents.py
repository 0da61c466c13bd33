"""All documents: their links lead somewhere, and their parts are where the others look."""

import re
from urllib.parse import unquote

import pytest
from documents import NAMES, ROOT, document

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1$", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of `text`."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = found[name] = found.get(name, -1) + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def links(name: str) -> list[str]:
    return [link for link in LINK.findall(FENCE.sub("", document(name))) if "://" not in link]


def test_the_documents_are_those_that_the_front_door_names() -> None:
    named = {link for link in links("README.md") if link.endswith(".md")}
    others = {"README.md", "tests/gateway/contract.md"}
    assert set(NAMES) - others == named


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    here = ROOT / name
    for link in links(name):
        path, _, anchor = unquote(link).partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link
