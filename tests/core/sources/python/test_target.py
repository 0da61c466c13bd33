"""Where the module of a target is looked for, and what it may not take the place of."""

import sys
from pathlib import Path

import pytest
from sources.user_module import Beside

SELDOM_IMPORTED = "colorsys"


async def test_a_folder_of_a_modules_name_hides_no_module(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    (beside.folder / "elsewhere" / beside.module).mkdir(parents=True)
    monkeypatch.syspath_prepend(str(beside.folder / "elsewhere"))
    retriever = beside.write("def f(key): return b'1'").open("f")
    assert await retriever.retrieve("Tom") == b"1"
    await retriever.aclose()


async def test_what_a_module_imports_is_the_installed_one_before_one_beside_it(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, SELDOM_IMPORTED, raising=False)
    (beside.folder / f"{SELDOM_IMPORTED}.py").write_text("")
    text = f"import {SELDOM_IMPORTED}\ndef f(key): return {SELDOM_IMPORTED}.__file__.encode()"
    retriever = beside.write(text).open("f")
    found = await retriever.retrieve("Tom")
    assert isinstance(found, bytes)
    assert Path(found.decode()).parent != beside.folder
    await retriever.aclose()
