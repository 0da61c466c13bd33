import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache_core.sources.files.store import is_plain

NAMES = st.sampled_from([".", "..", "", "a", "C:", "\\", "\0", "\n", "é", "a.b", "…", "~", " "])


@given(st.one_of(st.text(), st.lists(NAMES).map("/".join), st.lists(NAMES).map("".join)))
def test_a_plain_path_stays_below_its_root_and_has_one_spelling(path: str) -> None:
    if is_plain(path):
        assert os.path.normpath(f"/srv/{path}") == f"/srv/{path}"
        assert path.encode().decode() == path


@pytest.mark.parametrize("path", ["a", "a/b.json", "u:1", "C:x", "...", ".a", "a b", "é", "%2e%2e"])
def test_plain_paths(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", ".", "..", "a/../b", "C:", "C:/a", "a\\b", "a\0", "a\n", "\ud800"],
)
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert not is_plain(path)
