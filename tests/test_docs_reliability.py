"""docs/reliability.md: every test that is to show a promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
SOURCES = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))))
def test_files_that_are_named_exist(path: str) -> None:
    assert (ROOT / path) in SOURCES


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", TEXT))))
def test_tests_that_are_named_exist(name: str) -> None:
    assert any(f"def {name}(" in source for source in SOURCES.values())


def test_promises_are_found() -> None:
    assert len(re.findall(r"`test_\w+`", TEXT)) > 10
