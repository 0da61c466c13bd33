"""Printed lines that can't be written."""

import sys
from pathlib import Path

import pytest

from gateway.cli.command import make_app, run


def test_lines_for_an_output_that_is_full_are_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gaocache", "--version"])
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(make_app(["--version"])) == 3
    words = "gaocache: can't write the output: No space left on device\n"
    assert capfd.readouterr().err == words
