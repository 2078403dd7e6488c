"""How much memory this process may use, from made-up containers."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from fastmlp.base.memory import usable_memory


def test_without_a_container_it_is_the_machines(tmp_path: Path) -> None:
    if os.name == "nt":
        assert usable_memory(tmp_path) == math.inf
    else:
        assert 2**27 < usable_memory(tmp_path) < 2**50


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("text", "is_limit"),
    [("1048576\n", True), ("max\n", False), ("", False), (f"{2**63 - 4096}\n", False)],
)
def test_a_container_may_use_less(tmp_path: Path, name: str, text: str, is_limit: bool) -> None:
    without = usable_memory(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert usable_memory(tmp_path) == (2**20 if is_limit else without)
